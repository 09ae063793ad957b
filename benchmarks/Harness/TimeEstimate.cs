using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Results;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// How long what is left of a run will take: what the phases of measured launches took, carried over to the cases that are not measured
/// yet by their tokens and the bytes of their weights. Before the first launch it is a guess from the memory bandwidth.
/// </summary>
/// <param name="cases">The cases to measure.</param>
/// <param name="options">How often.</param>
/// <param name="memoryGigabytesPerSecond">What the read test found; null where it was not made.</param>
internal sealed class TimeEstimate(IReadOnlyList<PlannedCase> cases, SuiteOptions options, double? memoryGigabytesPerSecond = null)
{
    /// <summary>What BenchmarkDotNet takes to build the measuring process, once a run.</summary>
    public const double BuildSeconds = 15;

    // Guesses for a machine that has measured nothing: half of the bandwidth is reached, a core multiplies so
    // fast, a process starts so fast.
    private const double UsualGigabytesPerSecond = 20;
    private const double BandwidthShare = 0.5;
    private const double FlopsOfCore = 4e10;

    // A GPU's, which no test of ours reads: those of a middling one.
    private const double DeviceGigabytesPerSecond = 400;
    private const double FlopsOfDevice = 1e13;
    private const double StartSeconds = 2;
    private const int UnknownPrompt = 8;

    private readonly Dictionary<string, Measured> _measured = [];

    /// <summary>Keeps a generation.</summary>
    public void AddGeneration(string caseId, double ttftMs, double decodeMs) => Of(caseId).Generations.Add((ttftMs, decodeMs));

    /// <summary>Keeps a launch that has ended.</summary>
    /// <param name="caseId">Its case.</param>
    /// <param name="seconds">From the end of what was before it to its own.</param>
    /// <param name="warmUpMs">Time of its warm-up; null where it does not tell.</param>
    /// <param name="measuredMs">Time of its measured generations.</param>
    public void AddLaunch(string caseId, double seconds, double? warmUpMs, double measuredMs)
    {
        Measured measured = Of(caseId);
        double generationMs = measured.Generations.Count > 0 ? measured.GenerationMs : 0;
        double warmUp = warmUpMs ?? options.Warmups * generationMs;
        measured.Launches.Add((Math.Max(0, seconds - ((warmUp + measuredMs) / 1000)), warmUp / Math.Max(generationMs, 1e-6)));
    }

    /// <summary>Seconds of one launch of a case.</summary>
    public double Launch(PlannedCase planned)
    {
        Measured? own = _measured.GetValueOrDefault(planned.CaseId);
        Measured[] near = [.. Nearest(planned)];
        (double Overhead, double WarmUps)[] launches =
        [
            .. (own?.Launches.Count > 0 ? [own] : near).SelectMany(measured => measured.Launches),
        ];
        double overhead = launches.Length > 0 ? launches.Average(launch => launch.Overhead) : StartSeconds;
        double warmUps = launches.Length > 0 ? launches.Average(launch => launch.WarmUps) : options.Warmups + 1;
        double generation = Generation(planned);
        return overhead
            + ((warmUps + LeastMeasured.Iterations(options, generation)) * generation / 1000)
            + options.Cooldown.TotalSeconds / options.Launches;
    }

    /// <summary>Seconds of all launches that are left.</summary>
    /// <param name="done">Launches that each case has had.</param>
    public double Left(Func<string, int> done) =>
        cases.Sum(planned => Math.Max(0, options.Launches - done(planned.CaseId)) * Launch(planned));

    /// <summary>True when a launch has been measured; before that everything is a guess.</summary>
    public bool IsMeasured => _measured.Values.Any(measured => measured.Launches.Count > 0);

    private double Generation(PlannedCase planned)
    {
        if (_measured.GetValueOrDefault(planned.CaseId) is { Generations.Count: > 0 } own)
        {
            return own.GenerationMs;
        }

        int prompt = planned.Key.PromptTokens ?? UnknownPrompt;
        int tokens = Math.Max(1, planned.Key.MaxLength - prompt);
        if (Nearest(planned).FirstOrDefault(measured => measured.Generations.Count > 0) is not { } near)
        {
            return Guess(planned, prompt, tokens);
        }

        PlannedCase other = near.Planned;
        int otherPrompt = other.Key.PromptTokens ?? UnknownPrompt;
        double step = near.DecodeMs / Math.Max(1, other.Key.MaxLength - otherPrompt - 1);

        // A prompt takes a step, which reads the weights, and what each of its tokens is multiplied with.
        double eachToken = Math.Max(0, near.TtftMs - step) / otherPrompt * (Parameters(planned) / Parameters(other));
        double ownStep = step * (Bytes(planned) / Bytes(other));
        return ownStep + (prompt * eachToken) + (tokens * ownStep);
    }

    private double Guess(PlannedCase planned, int prompt, int tokens)
    {
        bool isOnCpu = planned.Key.Provider == "cpu";
        double bandwidth = isOnCpu ? memoryGigabytesPerSecond ?? UsualGigabytesPerSecond : DeviceGigabytesPerSecond;
        double flops = isOnCpu ? FlopsOfCore * (planned.Key.Threads ?? 8) : FlopsOfDevice;
        double step = Bytes(planned) / (bandwidth * 1e9 * BandwidthShare) * 1000;
        double eachToken = 2 * Parameters(planned) / flops * 1000;
        return step + (prompt * eachToken) + (tokens * step);
    }

    /// <summary>Measured cases, those most alike first.</summary>
    private IEnumerable<Measured> Nearest(PlannedCase planned)
    {
        CaseKey key = planned.Key;
        return _measured
            .Values.Where(measured => measured.Generations.Count > 0 || measured.Launches.Count > 0)
            .OrderByDescending(measured =>
                (measured.Planned.Key.Engine == key.Engine && measured.Planned.Key.Provider == key.Provider ? 4 : 0)
                + (measured.Planned.Key.PromptId == key.PromptId ? 3 : 0)
                + (measured.Planned.Key.ModelName == key.ModelName ? 2 : 0)
                + (measured.Planned.Key.Precision == key.Precision ? 1 : 0)
            );
    }

    private Measured Of(string caseId)
    {
        if (!_measured.TryGetValue(caseId, out Measured? measured))
        {
            _measured.Add(caseId, measured = new Measured(cases.First(planned => planned.CaseId == caseId)));
        }

        return measured;
    }

    private static double Bytes(PlannedCase planned) =>
        planned.WeightBytesPerToken ?? (Parameters(planned) * BytesEach(planned.Key.Precision));

    // A decoder's layer holds about twelve squares of its width.
    private static double Parameters(PlannedCase planned) =>
        planned.Key is { HiddenSize: { } width, LayerCount: { } layers } key
            ? (12.0 * layers * width * width) + ((double)width * (key.VocabularySize ?? 0))
            : (planned.WeightBytesPerToken ?? 1e9) / BytesEach(planned.Key.Precision);

    private static double BytesEach(string precision) =>
        precision switch
        {
            "int4" => 0.5625,
            "int8" => 1.0625,
            "fp16" or "bf16" => 2,
            _ => 4,
        };

    private sealed record Measured(PlannedCase Planned)
    {
        public List<(double TtftMs, double DecodeMs)> Generations { get; } = [];

        public List<(double Overhead, double WarmUps)> Launches { get; } = [];

        public double TtftMs => Generations.Select(one => one.TtftMs).Median();

        public double DecodeMs => Generations.Select(one => one.DecodeMs).Median();

        public double GenerationMs => TtftMs + DecodeMs;
    }
}
