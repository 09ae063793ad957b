using System.Runtime.InteropServices;

namespace Llama3Perf.Results.Files;

/// <summary>A file that a user names as output: what is there already, and whether it may be replaced.</summary>
internal static partial class OutputPath
{
    private const int BeginningBytes = 4096;

    /// <summary>The file that is really meant: behind links, the last target. A rename onto the link itself would put a file in its
    /// place.</summary>
    /// <exception cref="IOException">Links in a circle.</exception>
    public static string Target(string path) =>
        new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;

    /// <summary>True for what must be written in place: devices, pipes, sockets. A rename would put a file where they were.</summary>
    public static bool IsSpecial(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        if (OperatingSystem.IsLinux())
        {
            return !IsRegular(path);
        }

        return OperatingSystem.IsWindows()
            ? path.StartsWith(@"\\.\", StringComparison.Ordinal)
            : path.StartsWith("/dev/", StringComparison.Ordinal);
    }

    /// <summary>Refuses a file that is somebody else's: one that is not empty and does not begin with what only ours have.</summary>
    /// <param name="path">The file, which need not be there.</param>
    /// <param name="mark">What stands near the beginning of every file of this kind.</param>
    /// <exception cref="RunFileException">It is not ours.</exception>
    public static void RequireOurs(string path, string mark)
    {
        if (Directory.Exists(path))
        {
            throw new RunFileException($"{path} is a folder; name a file");
        }

        if (
            File.Exists(path)
            && !IsSpecial(path)
            && Beginning(path) is { Length: > 0 } text
            && !text.Contains(mark, StringComparison.Ordinal)
        )
        {
            throw new RunFileException($"{path} is there and was not written by this verb; name another file, or replace it with --force");
        }
    }

    private static string Beginning(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] bytes = new byte[BeginningBytes];
        int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return System.Text.Encoding.UTF8.GetString(bytes, 0, read);
    }

    // .NET does not tell devices from files. statx has one layout on every Linux; st_mode lies at offset 28.
    private static bool IsRegular(string path)
    {
        byte[] status = new byte[256];
        return StatX(-100, path, 0, 1, status) != 0 || (BitConverter.ToUInt16(status, 28) & 0xF000) == 0x8000;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, [Out] byte[] status);
}
