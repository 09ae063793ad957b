using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using LLama.Native;

namespace Llama3Perf.Inference.Native;

/// <summary>
/// The llama.cpp of this process: of the packaged builds the one for the best instructions that the processor has, or the build in the
/// folder of <c>--runtime-dir</c>. LLamaSharp's binding is pointed at it; calls that are made for each token go past the binding, whose own
/// allocate.
/// </summary>
internal static unsafe class LlamaCppLibrary
{
    /// <summary>Folder of the packaged builds, below the program's own.</summary>
    public const string PackagedFolder = "llama.cpp";

    private const string Name = "llama";
    private const string BaseName = "ggml-base";

    // LLamaSharp lays out llama.cpp's structures as they are in this version of ggml, and says nothing where they differ.
    private const string BindingVersion = "0.18.";

    private const int ErrorLevel = 4;

    // What the binding calls on our behalf, and what is called here.
    private static readonly string[] s_entryPoints =
    [
        "llama_backend_init",
        "llama_model_default_params",
        "llama_context_default_params",
        "llama_model_load_from_file",
        "llama_model_free",
        "llama_init_from_model",
        "llama_free",
        "llama_get_memory",
        "llama_memory_clear",
        "llama_synchronize",
        "llama_decode",
        "llama_get_logits_ith",
        "llama_log_set",
        "llama_vocab_n_tokens",
    ];

    private static readonly Lazy<Loaded> s_loaded = new(Load);
    private static readonly StringBuilder s_errors = new();

    /// <summary>Loads the library unless it is loaded, and points the binding at it.</summary>
    /// <exception cref="EngineException">Missing, of another architecture or version, or not llama.cpp.</exception>
    public static void Require() => _ = s_loaded.Value;

    /// <summary>The library and the instructions that it was built for; null before it is loaded.</summary>
    public static LoadedLibrary? Current =>
        s_loaded is { IsValueCreated: true, Value: { } loaded }
            ? LibraryIdentity.Of("llama.cpp", loaded.File) with
            {
                Version = loaded.Version,
            }
            : null;

    /// <summary>What llama.cpp says of its build: <c>AVX512 = 1</c> and the like, those that are on.</summary>
    public static string Instructions
    {
        get
        {
            string text = Marshal.PtrToStringUTF8(NativeApi.llama_print_system_info()) ?? "";
            string[] on =
            [
                .. text.Split('|', ':')
                    .Select(part => part.Split('=', StringSplitOptions.TrimEntries))
                    .Where(part => part is [_, "1"])
                    .Select(part => part[0].ToLowerInvariant()),
            ];
            return string.Join('+', on);
        }
    }

    /// <summary>Computes a batch; 0 for success.</summary>
    public static int Decode(SafeLLamaContextHandle context, LLamaNativeBatch batch) =>
        s_loaded.Value.Decode(context.DangerousGetHandle(), batch);

    /// <summary>The logits of the last position, in llama.cpp's memory; null when there are none.</summary>
    public static float* LastLogits(SafeLLamaContextHandle context) => s_loaded.Value.Logits(context.DangerousGetHandle(), -1);

    /// <summary>Names of the backends' devices: <c>CPU</c>, <c>CUDA0</c>, <c>Vulkan0</c>, in llama.cpp's order.</summary>
    public static IReadOnlyList<(string Name, nint Device)> Devices()
    {
        Require();
        List<(string, nint)> devices = [];
        for (nuint i = 0; i < NativeApi.ggml_backend_dev_count(); i++)
        {
            nint device = NativeApi.ggml_backend_dev_get(i);
            devices.Add((Marshal.PtrToStringUTF8(NativeApi.ggml_backend_dev_name(device)) ?? "", device));
        }

        return devices;
    }

    /// <summary>The first line that the library complained with since the last call of this, which has the cause; null when there is
    /// none.</summary>
    public static string? TakeError()
    {
        lock (s_errors)
        {
            string? line = s_errors
                .ToString()
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .FirstOrDefault();
            s_errors.Clear();
            return line;
        }
    }

    /// <summary>The library's file in a folder, or null.</summary>
    internal static string? FindIn(string folder) => NativeLibraries.FindIn(folder, Name);

    /// <summary>The packaged builds that this processor can run, the best first: folders below <see cref="PackagedFolder"/>.</summary>
    internal static IEnumerable<string> Builds()
    {
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
        {
            // As ggml's builds are cut: the AVX-512 one wants these five together.
            bool isAvx512 = Avx512F.VL.IsSupported && Avx512BW.IsSupported && Avx512CD.IsSupported && Avx512DQ.IsSupported;
            bool isAvx2 = Avx2.IsSupported && Fma.IsSupported && Bmi2.IsSupported;
            (bool, string)[] builds = [(isAvx512, "avx512"), (isAvx2, "avx2"), (Avx.IsSupported, "avx"), (true, "noavx")];
            foreach ((_, string build) in builds.Where(build => build.Item1))
            {
                yield return build;
            }
        }

        yield return "";
    }

    private static Loaded Load()
    {
        string file = Find();
        nint library = NativeLibraries.Load(file);
        string version = CheckVersion(file);
        if (s_entryPoints.FirstOrDefault(name => !NativeLibrary.TryGetExport(library, name, out _)) is { } absent)
        {
            throw new EngineException($"{file} has no {absent}: it is another version of llama.cpp than the binding's, or not llama.cpp");
        }

        // Before anything is said: the default is the terminal.
        var setLog = (delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<int, byte*, void*, void>, void*, void>)
            NativeLibrary.GetExport(library, "llama_log_set");
        setLog(&Log, null);
        Bind(file);
        return new Loaded(
            file,
            version,
            (delegate* unmanaged[Cdecl]<nint, LLamaNativeBatch, int>)NativeLibrary.GetExport(library, "llama_decode"),
            (delegate* unmanaged[Cdecl]<nint, int, float*>)NativeLibrary.GetExport(library, "llama_get_logits_ith")
        );
    }

    private static void Bind(string file)
    {
        try
        {
            NativeLibraryConfig.LLama.WithLibrary(file);
            NativeApi.llama_empty_call();
        }
        catch (Exception e) when (e is InvalidOperationException or TypeInitializationException or LLama.Exceptions.RuntimeError)
        {
            throw new EngineException($"{file} cannot be used by LLamaSharp: {(e.InnerException ?? e).Message}", e);
        }

        // Builds whose backends are libraries of their own begin with none.
        if (
            NativeApi.ggml_backend_dev_count() == 0
            && NativeLibrary.TryLoad(Path.Combine(Path.GetDirectoryName(file)!, NativeLibraries.FileName("ggml")), out nint ggml)
            && NativeLibrary.TryGetExport(ggml, "ggml_backend_load_all_from_path", out nint loadAll)
        )
        {
            fixed (byte* folder = Encoding.UTF8.GetBytes(Path.GetDirectoryName(file)! + '\0'))
            {
                ((delegate* unmanaged[Cdecl]<byte*, void>)loadAll)(folder);
            }
        }

        CheckLayout(file);
    }

    private static string Find()
    {
        if (NativeLibraries.RuntimeFolders.Select(FindIn).FirstOrDefault(file => file is not null) is { } own)
        {
            return own;
        }

        string root = Path.Combine(AppContext.BaseDirectory, PackagedFolder);
        return Builds().Select(build => FindIn(Path.Combine(root, build))).FirstOrDefault(file => file is not null)
            ?? throw new EngineException(
                $"{NativeLibraries.FileName(Name)} was not found below {root}: LLamaSharp has no llama.cpp for "
                    + $"{RuntimeInformation.RuntimeIdentifier}; name a folder that holds one with --runtime-dir"
            );
    }

    private static string CheckVersion(string file)
    {
        // The library names its parts by their folder; what holds the version is one of them.
        string part = Path.Combine(Path.GetDirectoryName(file)!, NativeLibraries.FileName(BaseName));
        string? version =
            File.Exists(part) && NativeLibrary.TryLoad(part, out nint ggml) && Text(ggml, "ggml_version") is { } number
                ? $"{number} {Text(ggml, "ggml_commit")}".TrimEnd()
                : null;
        return version?.StartsWith(BindingVersion, StringComparison.Ordinal) == true
            ? version
            : throw new EngineException(
                $"{file} is llama.cpp with ggml {version ?? "of an unknown version"}, and LLamaSharp {BindingPackage} binds "
                    + $"{BindingVersion}x: "
                    + $"take the libraries of LLamaSharp's backend packages of version {BindingPackage}"
            );
    }

    // A structure of another layout shows in its defaults, which are llama.h's.
    private static void CheckLayout(string file)
    {
        LLamaContextParams context = LLamaContextParams.Default();
        if (context is not { n_ctx: 512, n_batch: 2048, type_k: GGMLType.GGML_TYPE_F16, type_v: GGMLType.GGML_TYPE_F16 })
        {
            throw new EngineException(
                $"{file} lays out its parameters otherwise than LLamaSharp {BindingPackage}: take the libraries of its backend packages"
            );
        }
    }

    private static string BindingPackage =>
        typeof(LlamaCppLibrary)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(a => a.Key == "LlamaSharpVersion")
            ?.Value
        ?? "";

    private static string? Text(nint library, string entry) =>
        NativeLibrary.TryGetExport(library, entry, out nint function)
            ? Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)function)())
            : null;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Log(int level, byte* text, void* data)
    {
        if (level == ErrorLevel)
        {
            lock (s_errors)
            {
                s_errors.Append(Marshal.PtrToStringUTF8((nint)text));
            }
        }
    }

    private sealed class Loaded(
        string file,
        string version,
        delegate* unmanaged[Cdecl]<nint, LLamaNativeBatch, int> decode,
        delegate* unmanaged[Cdecl]<nint, int, float*> logits
    )
    {
        public string File => file;

        public string Version => version;

        public delegate* unmanaged[Cdecl]<nint, LLamaNativeBatch, int> Decode { get; } = decode;

        public delegate* unmanaged[Cdecl]<nint, int, float*> Logits { get; } = logits;
    }
}
