using System.Diagnostics;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tests.Native;

namespace Llama3Perf.Inference.Tests.Native
{
    /// <summary>Runs one of <see cref="ChildScenarios"/> in a process of its own: libraries are loaded once a process, and some things
    /// happen at its end.</summary>
    internal static class ChildProcess
    {
        /// <summary>The scenario's output, its lines joined as they came.</summary>
        public static string Run(string scenario, string? runtimeFolder, string? home = null, ProviderLibrary? provider = null)
        {
            using Process process = Start(scenario, runtimeFolder, home, provider);
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}: {output}{errors.Result}");
            return output.Trim();
        }

        /// <summary>The scenario, begun; its output and errors can be read.</summary>
        /// <param name="scenario">Its name.</param>
        /// <param name="runtimeFolder">Folder of the native libraries, or null for the packaged ones.</param>
        /// <param name="home">Home and current folder, or null for those of this process.</param>
        /// <param name="provider">Library of an execution provider, or null for none.</param>
        public static Process Start(string scenario, string? runtimeFolder, string? home = null, ProviderLibrary? provider = null)
        {
            ProcessStartInfo start = new(
                Path.Combine(AppContext.BaseDirectory, "Llama3Perf.Inference.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""))
            )
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment[TestRuntime.ChildVariable] = scenario;
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(ChildProcess).Assembly.Location;
            start.Environment[NativeLibraries.RuntimeFolderVariable] = runtimeFolder;
            start.Environment[ProviderLibrary.Variable] = provider is null ? null : $"{provider.Name}={provider.Path}";
            if (home is not null)
            {
                start.WorkingDirectory = home;
                start.Environment["HOME"] = start.Environment["USERPROFILE"] = start.Environment["LOCALAPPDATA"] = home;
                foreach (
                    string name in (string[])
                        ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", Telemetry.OffVariable, Telemetry.ChoiceVariable]
                )
                {
                    start.Environment.Remove(name);
                }
            }

            return Process.Start(start)!;
        }
    }
}

/// <summary>The runtime calls this before Main in a process whose DOTNET_STARTUP_HOOKS names this assembly.</summary>
#pragma warning disable CA1050, MA0047 // The runtime looks for exactly this type, in no namespace.
internal static class StartupHook
#pragma warning restore CA1050, MA0047
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(TestRuntime.ChildVariable) is not { } scenario)
        {
            return;
        }

        ChildScenarios.Run(scenario);
        Environment.Exit(0);
    }
}
