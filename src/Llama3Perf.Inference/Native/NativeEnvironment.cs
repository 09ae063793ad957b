using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Native;

/// <summary>
/// Environment variables that native libraries read. .NET keeps an environment of its own on Unix, which children get; native code reads
/// the C library's.
/// </summary>
internal static partial class NativeEnvironment
{
    /// <summary>Sets a variable for this process and its children; null removes it.</summary>
    public static void Set(string name, string? value)
    {
        Environment.SetEnvironmentVariable(name, value);
        SetHere(name, value);
    }

    /// <summary>The same where the user has not set it.</summary>
    public static void SetUnlessSet(string name, string value)
    {
        if (Environment.GetEnvironmentVariable(name) is null)
        {
            Set(name, value);
        }
    }

    /// <summary>Sets it for native code of this process alone; on Windows there is only one environment, and .NET sets it.</summary>
    public static void SetHere(string name, string? value)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = value is null ? Unset(name) : SetVariable(name, value, 1);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unset(string name);
}
