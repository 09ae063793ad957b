using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Engines.LlamaCpp;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tests.Engines.External;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>What child processes do. Each prints what the test looks at.</summary>
internal static partial class ChildScenarios
{
    public const string UseOnnxRuntime = nameof(UseOnnxRuntime);
    public const string ResolveOnnxRuntime = nameof(ResolveOnnxRuntime);
    public const string AskForGenAi = nameof(AskForGenAi);
    public const string AskForPlugin = nameof(AskForPlugin);
    public const string AskForLlamaCpp = nameof(AskForLlamaCpp);
    public const string LeaveEngineOpen = nameof(LeaveEngineOpen);
    public const string LeavePeerOpen = nameof(LeavePeerOpen);
    public const string InterruptWithPeerOpen = nameof(InterruptWithPeerOpen);
    public const string GenerateOneToken = nameof(GenerateOneToken);

    public static void Run(string scenario)
    {
        try
        {
            Action action = scenario switch
            {
                UseOnnxRuntime => Use,
                ResolveOnnxRuntime => ResolveOnly,
                AskForGenAi => AskGenAi,
                AskForPlugin => AskPlugin,
                AskForLlamaCpp => AskLlamaCpp,
                LeaveEngineOpen => LeaveOpen,
                LeavePeerOpen => LeavePeer,
                InterruptWithPeerOpen => InterruptWithPeer,
                GenerateOneToken => GenerateOne,
                _ => throw new ArgumentOutOfRangeException(nameof(scenario), scenario, null),
            };
            action();
        }
        catch (EngineException e)
        {
            Console.WriteLine($"EngineException: {e.Message}");
        }
    }

    // Through the managed package, as the engines do, and read back from the system.
    private static void Use()
    {
        NativeLibraries.RequireOnnxRuntime();
        _ = OrtEnv.Instance().GetAvailableProviders();
        PrintLoaded();
    }

    // By the resolver alone: the module initializer is all that has run, as in a child process of BenchmarkDotNet.
    private static void ResolveOnly()
    {
        RuntimeHelpers.RunModuleConstructor(typeof(NativeLibraries).Module.ModuleHandle);
        _ = OrtEnv.Instance().GetAvailableProviders();
        PrintLoaded();
    }

    private static void AskGenAi()
    {
        Console.WriteLine(
            GenAiRuntime.Kind.Availability(ExecutionProvider.Cpu) is { IsAvailable: false, Reason: var reason } ? reason : "available"
        );
        PrintLoaded();
    }

    // As probe does: what the library brought, then all devices and what stands in a case's identity.
    private static void AskPlugin()
    {
        Console.WriteLine(
            OrtSession.Kind.Availability(ExecutionProvider.Plugin) is { IsAvailable: false, Reason: var reason } ? reason : "available"
        );
        Console.WriteLine(string.Join(' ', PluginProvider.AllDevices().Select(device => $"{device.Provider}:{device.Type}")));
        Console.WriteLine(PluginProvider.Identity);
    }

    private static void AskLlamaCpp() =>
        Console.WriteLine(
            LlamaCppRuntime.Kind.Availability(ExecutionProvider.Cpu) is { IsAvailable: false, Reason: var reason } ? reason : "available"
        );

    private static unsafe void LeaveOpen()
    {
        nint library = Oga.RequireLibrary();
        ((delegate* unmanaged<void>)NativeLibrary.GetExport(library, "fake_announce_shutdown"))();
        IEngine engine = GenAiRuntime.Kind.Load(Named("scripted"), new EngineOptions());
        engine.Reset(20);
        engine.Prefill([1, 2, 3]);
        Console.WriteLine($"token {engine.NextToken()}");
    }

    // A folder that the scripted library never opens.
    private static ModelFolder Named(string path) =>
        new()
        {
            Path = path,
            Name = path,
            GraphPath = Path.Combine(path, "model.onnx"),
            IsSynthetic = true,
            Precision = Precision.Int4,
            BlockSize = 32,
            Family = GraphFamily.Standard,
            ContextLength = 512,
            VocabularySize = 1000,
            HiddenSize = 64,
            LayerCount = 2,
            HeadCount = 4,
            KeyValueHeadCount = 2,
            HeadSize = 16,
            BosTokenId = 1,
            EosTokenIds = [2],
            Names = new DecoderNames(),
            WeightBytes = 1000,
        };

    private static void LeavePeer() => Console.WriteLine(Peers.Load("no-exit").ProcessId);

    private static void InterruptWithPeer()
    {
        LeavePeer();
        Process.Start("kill", ["-INT", $"{Environment.ProcessId}"]).WaitForExit();
        Thread.Sleep(TimeSpan.FromSeconds(20));
    }

    // As a measuring process does, in the home folder that the test gave.
    private static void GenerateOne()
    {
        using (
            IEngine engine = OrtSession.Kind.Load(
                ModelBuilder.Build(new ModelBuildOptions { Model = "llama-tiny" }, "model"),
                new EngineOptions()
            )
        )
        {
            engine.Reset(8);
            engine.Prefill([1, 2, 3]);
            _ = engine.NextToken();
        }

        Console.WriteLine($"{Telemetry.OffVariable}={Environment.GetEnvironmentVariable(Telemetry.OffVariable)}");
        Console.WriteLine(
            $"getenv={(OperatingSystem.IsWindows() ? "" : Marshal.PtrToStringUTF8(GetEnvironmentVariable(Telemetry.OffVariable)))}"
        );
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetEnvironmentVariable(string name);

    private static void PrintLoaded()
    {
        foreach (LoadedLibrary library in NativeLibraries.Loaded())
        {
            Console.WriteLine($"{library.Name} {library.Version} {library.Path}");
        }

        if (OperatingSystem.IsLinux())
        {
            foreach (
                string path in File.ReadLines("/proc/self/maps")
                    .Select(line => line[(line.LastIndexOf(' ') + 1)..])
                    .Where(path => path.Contains("onnxruntime", StringComparison.Ordinal) && path.Contains(".so", StringComparison.Ordinal))
                    .Distinct()
            )
            {
                Console.WriteLine($"maps {path}");
            }
        }
    }
}
