using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Llama3Perf.Inference.Machine;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Native;

/// <summary>
/// Which native ONNX Runtime, onnxruntime-genai and DirectML this process runs on: those of the build's packages, or those of the
/// folders that <see cref="RuntimeFolderVariable"/> names. Works from a module initializer because BenchmarkDotNet's child processes
/// never run the suite's own <c>Main</c>; they inherit the variable.
/// </summary>
public static partial class NativeLibraries
{
    /// <summary>Environment variable with the folders, separated as in PATH, whose libraries are loaded instead of the packaged
    /// ones.</summary>
    public const string RuntimeFolderVariable = "LLAMA3PERF_RUNTIME_DIR";

    /// <summary>CUDA's variable for the order in which it counts adapters; the suite sets it unless the user has.</summary>
    public const string CudaOrderVariable = "CUDA_DEVICE_ORDER";

    internal const string OnnxRuntime = "onnxruntime";
    internal const string GenAi = "onnxruntime-genai";
    internal const string DirectML = "DirectML";

    private static readonly Lazy<nint> s_onnxRuntime = new(LoadOnnxRuntime);
    private static readonly Lazy<nint> s_genAi = new(LoadGenAi);

    // One for the process, and the first one counts: a native library that writes a warning for each token writes while the clock runs.
    private static readonly Lazy<bool> s_environment = new(() =>
    {
        if (!OrtEnv.IsCreated)
        {
            EnvironmentCreationOptions options = new() { logId = "llama3perf", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            OrtEnv.CreateInstanceWithOptions(ref options);
        }

        return true;
    });

    /// <summary>The folders that replace the packaged libraries, absolute, in the order that they are searched; empty for none.</summary>
    public static IReadOnlyList<string> RuntimeFolders =>
        [
            .. (Environment.GetEnvironmentVariable(RuntimeFolderVariable) ?? "")
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Select(Path.GetFullPath),
        ];

    /// <summary>Names the folders, for this process and its children; before anything of ONNX Runtime is used.</summary>
    /// <param name="folders">
    /// Folders that hold libraries, or the <c>site-packages</c> of a Python installation. Relative paths are taken from the current
    /// directory, and kept absolute: children have another one.
    /// </param>
    /// <exception cref="InvalidOperationException">ONNX Runtime is loaded already.</exception>
    public static void UseRuntimeFolders(IEnumerable<string> folders)
    {
        if (s_onnxRuntime.IsValueCreated)
        {
            throw new InvalidOperationException("ONNX Runtime is loaded already.");
        }

        Environment.SetEnvironmentVariable(RuntimeFolderVariable, string.Join(Path.PathSeparator, folders.Select(Path.GetFullPath)));
    }

    /// <summary>The packages' set that the build took: <c>CpuGenAI</c>, <c>DirectML</c>, <c>WinML</c>, <c>Cuda</c> or <c>Cpu</c>.</summary>
    public static string PackagedSet => Metadata("NativeSet") ?? "unknown";

    /// <summary>The libraries that are loaded at this moment, each with the path that the system's loader gives; one that is not loaded is
    /// absent.</summary>
    public static IReadOnlyList<LoadedLibrary> Loaded() =>
        [
            .. new[] { OnnxRuntime, GenAi, DirectML }.SelectMany(name =>
                LoadedModules.PathsOf(name).Select(path => LibraryIdentity.Of(name, path))
            ),
        ];

    /// <summary>What the loaded ONNX Runtime says that it is; null while none is loaded.</summary>
    internal static string? OnnxRuntimeVersion => s_onnxRuntime.IsValueCreated ? OrtApiBase.Version(s_onnxRuntime.Value) : null;

    /// <summary>Whether the loaded ONNX Runtime has an API version: as its minor version, counted from 1.</summary>
    internal static bool Offers(uint apiVersion) => OrtApiBase.Offers(s_onnxRuntime.Value, apiVersion);

    /// <summary>Where the packages' libraries lie.</summary>
    internal static string[] PackagedFolders { get; } =
    [
        .. (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        ),
        AppContext.BaseDirectory,
    ];

    /// <summary>The file that ONNX Runtime was loaded from, for messages.</summary>
    internal static string OnnxRuntimePath => string.Join(", ", LoadedModules.PathsOf(OnnxRuntime));

    /// <summary>The file that onnxruntime-genai was loaded from.</summary>
    internal static string GenAiPath => LoadedModules.PathsOf(GenAi)[0];

    /// <summary>
    /// Why an execution provider of the loaded ONNX Runtime cannot be used; null when it can. Being compiled in is not enough for CUDA:
    /// its code is a library of its own, and a package without it still lists the provider.
    /// </summary>
    /// <param name="provider">ONNX Runtime's name of the provider.</param>
    internal static string? ProviderProblem(string provider)
    {
        string[] compiledIn = OnnxRuntimeEnvironment().GetAvailableProviders();
        if (!compiledIn.Contains(provider))
        {
            return $"no {provider} in {OnnxRuntimePath}, which has {string.Join(", ", compiledIn)}";
        }

        switch (provider)
        {
            case "DmlExecutionProvider":
                return DirectMLAdapter.Problem();
            case "WebGpuExecutionProvider":
                return VulkanDevices.Problem() is { } problem ? $"{provider} of {OnnxRuntimePath} needs a Vulkan device: {problem}" : null;
            case "CUDAExecutionProvider":
                break;
            default:
                return null;
        }

        string library = Path.Combine(
            Path.GetDirectoryName(LoadedModules.PathsOf(OnnxRuntime)[0])!,
            FileName("onnxruntime_providers_cuda")
        );
        return File.Exists(library) ? null : $"{provider} needs {library}, which is not there";
    }

    /// <summary>Loads ONNX Runtime unless it is loaded, and checks that the managed package can work with it.</summary>
    /// <exception cref="EngineException">Missing, of another architecture, too old or no library at all.</exception>
    public static void RequireOnnxRuntime()
    {
        _ = s_onnxRuntime.Value;
        _ = s_environment.Value;
    }

    /// <summary>ONNX Runtime's environment, one a process, with the suite's choices made.</summary>
    /// <exception cref="EngineException">As <see cref="RequireOnnxRuntime"/>.</exception>
    internal static OrtEnv OnnxRuntimeEnvironment()
    {
        RequireOnnxRuntime();
        return Telemetry.TurnOff(OrtEnv.Instance());
    }

    /// <summary>Loads onnxruntime-genai unless it is loaded, ONNX Runtime first.</summary>
    /// <param name="entryPoints">Functions that the caller will call: a library that lacks one is refused before any is called.</param>
    /// <param name="meaning">What the lack of one means.</param>
    /// <exception cref="EngineException">Missing, of another architecture, too old or no library at all.</exception>
    internal static nint RequireGenAi(
        IEnumerable<string> entryPoints,
        string meaning = "it is older than onnxruntime-genai 0.14.1, or not onnxruntime-genai"
    )
    {
        nint library = s_genAi.Value;
        if (entryPoints.FirstOrDefault(name => !NativeLibrary.TryGetExport(library, name, out _)) is not { } absent)
        {
            return library;
        }

        string file = string.Join(", ", LoadedModules.PathsOf(GenAi));
        throw new EngineException($"{file} has no {absent}: {meaning}");
    }

    /// <summary>True when a file name is the library's on any of the three systems: <c>x.dll</c>, <c>libx.so</c>, <c>libx.so.1</c>,
    /// <c>libx.1.2.dylib</c>.</summary>
    internal static bool IsFileOf(string name, string fileName)
    {
        if (fileName.Equals(name + ".dll", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (!fileName.StartsWith("lib" + name + ".", StringComparison.Ordinal))
        {
            return false;
        }

        string rest = fileName[(name.Length + 4)..];
        return rest == "so"
            || rest.StartsWith("so.", StringComparison.Ordinal)
            || rest == "dylib"
            || rest.EndsWith(".dylib", StringComparison.Ordinal);
    }

#pragma warning disable CA2255 // Here an initializer is the only way: a child process of BenchmarkDotNet starts in generated code.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register()
    {
        Telemetry.TurnOff();
        // As nvidia-smi and NVML count adapters; CUDA itself puts the fastest first.
        NativeEnvironment.SetUnlessSet(CudaOrderVariable, "PCI_BUS_ID");
        Assembly managed = typeof(OrtEnv).Assembly;
        // An assembly has one resolver. Newer managed packages bring their own unless this property, which 1.24 lacks, says not to.
        typeof(OrtEnv).GetProperty("DisableDllImportResolver")?.SetValue(null, true);
        try
        {
            NativeLibrary.SetDllImportResolver(managed, Resolve);
        }
        catch (InvalidOperationException)
        {
            // ONNX Runtime was used before this assembly and has resolved its own library. RequireOnnxRuntime sees which.
        }

        NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) =>
        Path.GetFileNameWithoutExtension(name) switch
        {
            OnnxRuntime => s_onnxRuntime.Value,
            GenAi => s_genAi.Value,
            _ => 0,
        };

    internal static string? Metadata(string key) =>
        typeof(NativeLibraries).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == key)?.Value;
}
