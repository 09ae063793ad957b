using System.Collections.Concurrent;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>A Python that runs.</summary>
/// <param name="Path">Its executable, or its launcher.</param>
/// <param name="Arguments">What comes before the script: <c>-3</c> for Windows' launcher.</param>
/// <param name="Version">Its version.</param>
public sealed record PythonProgram(string Path, IReadOnlyList<string> Arguments, Version Version)
{
    /// <summary>Environment variable that names the Python to use.</summary>
    public const string Variable = "LLAMA3PERF_PYTHON";

    private static readonly Version s_oldest = new(3, 10);

    // Long enough for the first start from a slow disk.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly ConcurrentDictionary<string, PythonSearch> s_found = new();
    private static readonly ConcurrentDictionary<(string Python, string Modules), IReadOnlyList<string>> s_modules = new();

    /// <summary>What the suite's Python program is run with: UTF-8 whatever the system's code page, and no files written beside
    /// it.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } =
        new Dictionary<string, string> { ["PYTHONUTF8"] = "1", ["PYTHONDONTWRITEBYTECODE"] = "1" };

    /// <summary>Looks for the Python of a backend: each may have an environment of its own, since their versions exclude each other. What
    /// was given for it goes first, then its variable (<c>LLAMA3PERF_PYTHON_IPEX_LLM</c>), then what <see cref="Find"/> finds.</summary>
    /// <param name="backend">The backend's name.</param>
    /// <param name="given">As <see cref="Given"/> reads it; null takes none for given.</param>
    public static PythonSearch For(string backend, string? given = null)
    {
        IReadOnlyDictionary<string, string> named = Given(given);
        string variable = $"{Variable}_{backend.Replace('-', '_').ToUpperInvariant()}";
        return Find(named.GetValueOrDefault(backend) ?? named.GetValueOrDefault("") ?? System.Environment.GetEnvironmentVariable(variable));
    }

    /// <summary>Pythons by backend: <c>transformers=PATH,ipex-llm=PATH</c>; one for all, under the empty name, is a path alone.</summary>
    public static IReadOnlyDictionary<string, string> Given(string? text)
    {
        Dictionary<string, string> pythons = [];
        foreach (string part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int end = part.IndexOf('=', StringComparison.Ordinal);
            bool isNamed = end > 0 && part.AsSpan(0, end).IndexOfAny('/', '\\', '.') < 0;
            pythons[isNamed ? part[..end] : ""] = isNamed ? part[(end + 1)..] : part;
        }

        return pythons;
    }

    /// <summary>Looks for a Python of version 3.10 or newer by running it: the given one, else <see cref="Variable"/>, else those on the
    /// PATH. The answer is kept.</summary>
    /// <param name="given">Path or name; null takes none for given.</param>
    public static PythonSearch Find(string? given = null) =>
        s_found.GetOrAdd(given ?? System.Environment.GetEnvironmentVariable(Variable) ?? "", Search);

    /// <summary>Those of the modules that it could import, without importing them. The answer is kept.</summary>
    public IReadOnlyList<string> ModulesOf(IReadOnlyList<string> modules) =>
        s_modules.GetOrAdd(
            (Path, string.Join(' ', modules)),
            _ =>
                SystemCommand
                    .Output(
                        s_patience,
                        Path,
                        [
                            .. Arguments,
                            "-c",
                            "import sys, importlib.util; print(*[m for m in sys.argv[1:] if importlib.util.find_spec(m)])",
                            .. modules,
                        ]
                    )
                    ?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                ?? []
        );

    private static PythonSearch Search(string given)
    {
        if (given.Length > 0)
        {
            return Ask(given, []);
        }

        (string Path, string[] Arguments)[] usual = OperatingSystem.IsWindows()
            ? [("python", []), ("python3", []), ("py", ["-3"])]
            : [("python3", []), ("python", [])];
        PythonSearch? tooOld = null;
        foreach ((string path, string[] arguments) in usual)
        {
            // A launcher that is there without a Python behind it (Windows' app alias) does not run, and the next one may.
            if (PeerCommand.Find(path) is not { } file)
            {
                continue;
            }

            PythonSearch answer = Ask(file, arguments);
            if (answer.Python is not null)
            {
                return answer;
            }

            tooOld ??= answer;
        }

        return tooOld ?? new PythonSearch(null, $"no Python on the PATH; install 3.10 or newer, or name one with --python or {Variable}");
    }

    private static PythonSearch Ask(string path, string[] arguments)
    {
        string? output = SystemCommand.Output(
            s_patience,
            path,
            [.. arguments, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
        );
        if (!Version.TryParse(output?.Trim(), out Version? version))
        {
            return new PythonSearch(null, $"{path} does not run as Python; name another one with --python or {Variable}");
        }

        return version >= s_oldest
            ? new PythonSearch(new PythonProgram(path, arguments, version), null)
            : new PythonSearch(
                null,
                $"{path} is Python {version}, and 3.10 or newer is needed; name another one with --python or {Variable}"
            );
    }
}

/// <summary>Outcome of looking for a Python.</summary>
/// <param name="Python">The one that was found, or null.</param>
/// <param name="Reason">Why there is none.</param>
public sealed record PythonSearch(PythonProgram? Python, string? Reason);
