using CsCheck;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Tests.Files;

public sealed class RoundTripTests
{
    private static readonly Gen<string?> s_optionalText = Gen
        .Char.Where(c => !char.IsControl(c) && !char.IsSurrogate(c))
        .Array[0, 12]
        .Select(c => c.Length == 0 ? null : new string(c));
    private static readonly Gen<string> s_text = Gen.OneOf(
        "plain",
        "comma, quote \" and 'single'",
        "ünïcödé ∑ 漢字 🦙",
        " leading and trailing ",
        "=1+2",
        "-",
        "+1",
        "@SUM(A1)",
        "-2+3",
        "'quoted",
        "'",
        "\uFF1D1",
        "a=b",
        "\"\"",
        ";",
        "#x"
    );
    private static readonly Gen<double?> s_number = Gen.Double[1e-3, 1e8].Select(value => Math.Round(value, 4)).Nullable(0.1);
    private static readonly Gen<long?> s_bytes = Gen.Long[0, 1L << 60].Nullable(0.2);

    private static readonly Gen<CaseKey> s_case =
        from texts in s_text.Array[4]
        from optional in s_optionalText.Array[5]
        from counts in Gen.Int[0, 1_000_000_000].Nullable(0.2).Array[5]
        from prompt in Gen.Int[0, 100_000]
        from isReal in Gen.Bool
        select new CaseKey
        {
            Engine = texts[0],
            Provider = "cpu",
            Device = optional[0],
            ModelName = texts[1],
            ModelSha256 = optional[1],
            Weights = isReal ? "real" : "synthetic",
            HiddenSize = counts[0],
            LayerCount = counts[1],
            VocabularySize = counts[2],
            Precision = texts[2],
            BlockSize = counts[3],
            PromptId = texts[3],
            PromptSha256 = optional[2],
            ChatTemplate = "none",
            EngineOptions = optional[3],
            BuildConfiguration = optional[4],
            PromptTokens = prompt,
            MaxLength = prompt + 2,
            Threads = counts[4],
        };

    private static readonly Gen<Run> s_runs =
        from id in s_text
        from ticks in Gen.Long[DateTime.UnixEpoch.Ticks, DateTime.MaxValue.Ticks]
        from texts in s_optionalText.Array[21]
        from ram in s_bytes
        let identity = new RunIdentity(id, new DateTimeOffset(ticks, TimeSpan.Zero), texts[0]) { Label = texts[20] }
        let environment = new RunEnvironment
        {
            MachineId = texts[1],
            CpuName = texts[2],
            RamBytes = ram,
            OsBuild = texts[3],
            GpuName = texts[4],
            GpuVendorId = texts[5],
            GpuDeviceId = texts[6],
            GpuDriverVersion = texts[7],
            GpuDriverDate = texts[8],
            OrtVersion = texts[9],
            OrtPath = texts[10],
            GenAiVersion = texts[11],
            GenAiPath = texts[12],
            DirectMlVersion = texts[13],
            DirectMlPath = texts[14],
            DotnetVersion = texts[15],
            PowerSource = texts[16],
            OrtSha256 = texts[17],
            GenAiSha256 = texts[18],
            DirectMlSha256 = texts[19],
        }
        from outcomes in s_case.Array[1, 3].SelectMany(cases => OutcomesOf(identity, environment, cases))
        select new Run(identity, environment, outcomes);

    [Fact]
    public void What_is_written_is_read_back_exactly() =>
        s_runs.Sample(
            run =>
            {
                using TestFolder folder = new();
                RunWriter.Write(run, folder.File("run"));
                Run read = Assert.Single(RunReader.Read(folder.File("run"), withTokens: true));

                Assert.Equal(run.Identity, read.Identity);
                Assert.Equal(run.Environment, read.Environment);
                Assert.Equal(run.Cases.Count, read.Cases.Count);
                Assert.Empty(read.Remarks);
                foreach ((CaseOutcome written, CaseOutcome back) in run.Cases.Zip(read.Cases))
                {
                    Assert.Equal(
                        (written.Case, written.CaseId, written.Status, written.Error),
                        (back.Case, back.CaseId, back.Status, back.Error)
                    );
                    Assert.Equal(
                        written.Samples.Select(sample => sample with { TokenMs = [] }),
                        back.Samples.Select(sample => sample with { TokenMs = [] }),
                        SampleEquality
                    );
                    Assert.Equal(written.Samples.Select(sample => sample.TokenMs), back.Samples.Select(sample => sample.TokenMs));
                }
            },
            iter: 200
        );

    [Fact]
    public void What_is_read_is_written_again_byte_for_byte()
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("first"));
        RunWriter.Write(RunReader.Read(folder.File("first"), withTokens: true)[0], folder.File("second"));

        foreach (string name in new[] { RunFolder.Samples, RunFolder.Results, RunFolder.Tokens, RunFolder.Markdown })
        {
            Assert.Equal(File.ReadAllBytes(folder.File("first", name)), File.ReadAllBytes(folder.File("second", name)));
        }
    }

    [Fact]
    public void Values_in_memory_are_those_of_the_file()
    {
        Sample sample = TestRuns.Sample(TestRuns.Case, 1, 1) with { TtftMs = 80.1234567891, DecodeTps = 98.76543210 };
        using TestFolder folder = new();
        RunWriter.Write(
            new Run(TestRuns.Identity, TestRuns.Environment, [TestRuns.Outcome(TestRuns.Case, 1, 1) with { Samples = [sample] }]),
            folder.File("run")
        );
        Sample read = RunReader.Read(folder.File("run"))[0].Cases[0].Samples[0];

        foreach (Column<Sample> column in SampleSchema.Table.Columns)
        {
            Assert.Equal(column.Value(sample), column.Value(read));
            Assert.Equal(column.Key(sample), column.Key(read));
        }
    }

    [Theory]
    [InlineData("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("＝1", "'＝1")]
    [InlineData("'", "''")]
    [InlineData("'=1", "''=1")]
    [InlineData("a=1", "a=1")]
    [InlineData("1-1", "1-1")]
    public void No_text_is_a_formula_in_a_spreadsheet_and_all_are_read_back(string text, string cell)
    {
        CaseOutcome outcome = TestRuns.Outcome(TestRuns.Case with { ModelName = text, Device = text }, 1, 1);
        using TestFolder folder = new();
        RunWriter.Write(new Run(TestRuns.Identity, TestRuns.Environment, [outcome]), folder.File("run"));

        Assert.Contains($",cpu,{cell},{cell},", File.ReadAllText(folder.File("run", RunFolder.Samples)));
        Assert.Contains($",cpu,{cell},{cell},", File.ReadAllText(folder.File("run", RunFolder.Results)));
        Assert.Equal(outcome.Case, RunReader.Read(folder.File("run"))[0].Cases[0].Case);
        Assert.Equal(outcome.Case, RunReader.Read(folder.File("run", RunFolder.Samples))[0].Cases[0].Case);
    }

    [Fact]
    public void Negative_numbers_are_plain_numbers()
    {
        CaseOutcome outcome = TestRuns.Outcome(TestRuns.Case, 1, 3);
        using TestFolder folder = new();
        RunWriter.Write(new Run(TestRuns.Identity, TestRuns.Environment, [outcome]), folder.File("run"));

        Assert.Contains(",-4.651,", File.ReadAllText(folder.File("run", RunFolder.Results)));
    }

    [Fact]
    public void Every_control_character_becomes_a_blank()
    {
        char[] controls = [.. Enumerable.Range(0, 0x100).Select(code => (char)code).Where(char.IsControl)];
        Assert.Equal(65, controls.Length);

        Assert.Equal(string.Join(' ', Enumerable.Repeat("x", 66)), TextLine.Of("x" + string.Concat(controls.Select(c => $"{c}x"))));
        Assert.Equal("no control: \u00a0\u00ad🦙", TextLine.Of("no control: \u00a0\u00ad🦙"));
        Assert.All(controls, c => Assert.Equal("a b", Cells.Text.Format($"a{c}b")));
        Assert.All(controls, c => Assert.Equal("a b", Cells.OptionalText.Format($"a{c}b")));
    }

    [Theory]
    [InlineData("12345", "12345")]
    [InlineData("123456", "1234…")]
    [InlineData("123🦙6", "123…")]
    [InlineData("1\n2", "1 2")]
    public void A_message_is_a_line_of_limited_length(string text, string line) => Assert.Equal(line, TextLine.Of(text, 5));

    [Fact]
    public void Control_characters_become_spaces_so_that_a_row_stays_a_line()
    {
        CaseOutcome outcome = new()
        {
            Case = TestRuns.Case with { PromptId = "a\r\nb\tc" },
            CaseId = "x",
            Status = CaseStatus.Failed,
            Error = "first\nsecond",
        };
        using TestFolder folder = new();
        RunWriter.Write(new Run(TestRuns.Identity, TestRuns.Environment, [outcome]), folder.File("run"));

        CaseOutcome read = RunReader.Read(folder.File("run"))[0].Cases[0];

        Assert.Equal("a  b c", read.Case.PromptId);
        Assert.Equal("first second", read.Error);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1.0)]
    [InlineData(0.0)]
    public void A_number_that_cannot_be_is_written_as_unknown(double rate)
    {
        Sample sample = TestRuns.Sample(TestRuns.Case, 1, 1) with { DecodeTps = rate };

        Assert.Equal("", SampleSchema.Metric("decode_tps").Text(sample));
        Assert.Null(SampleSchema.Metric("decode_tps").Value(sample));
    }

    private static Gen<CaseOutcome[]> OutcomesOf(RunIdentity run, RunEnvironment environment, CaseKey[] cases) =>
        Gen.Int[0, 4]
            .Array[cases.Length]
            .SelectMany(counts =>
                Gen.Select(
                    s_number.Array[34].Array[counts.Sum() + 1],
                    Gen.Double[0, 1e8].Select(ms => Math.Round(ms, 6)).Array[2].Array[counts.Sum() + 1],
                    s_bytes,
                    (numbers, times, gpu) =>
                    {
                        int next = 0;
                        return cases
                            .Select(
                                (key, i) =>
                                {
                                    string id = $"case {i}, {key.PromptId}";
                                    Sample[] samples =
                                    [
                                        .. Enumerable
                                            .Range(1, counts[i])
                                            .Select(n => SampleOf(run, environment, key, id, n, numbers[next], times[next++])),
                                    ];
                                    return new CaseOutcome
                                    {
                                        Case = key,
                                        CaseId = id,
                                        Status = samples.Length > 0 ? CaseStatus.Ok : CaseStatus.Skipped,
                                        Error = samples.Length > 0 ? null : "why, oh \"why\"",
                                        Samples = [.. samples.Select(sample => sample with { PeakGpuBytes = gpu })],
                                    };
                                }
                            )
                            .ToArray();
                    }
                )
            );

    private static Sample SampleOf(
        RunIdentity run,
        RunEnvironment environment,
        CaseKey key,
        string id,
        int n,
        double?[] x,
        double[] times
    ) =>
        new()
        {
            Run = run,
            Environment = environment,
            Case = key,
            CaseId = id,
            LaunchIndex = n,
            Iteration = n,
            StartUtc = run.TestTime,
            PromptTokens = key.PromptTokens!.Value,
            NewTokens = 2,
            PrefillMs = x[0],
            TtftMs = x[1],
            DecodeMs = x[2],
            EndToEndMs = x[3],
            PrefillTps = x[4],
            DecodeTps = x[5],
            EndToEndTps = x[6],
            ArticleTps = x[7],
            TpotMs = x[32],
            ItlP50Ms = x[8],
            ItlP90Ms = x[9],
            ItlP95Ms = x[10],
            ItlP99Ms = x[11],
            PeakRssBytes = (long?)x[12],
            FirstStepMs = x[13],
            DecodeSteadyTps = x[14],
            DecodeTrimmedTps = x[15],
            ResetMs = x[16],
            StoppedAttempts = x[17] is { } stopped ? (int)stopped : null,
            Conditions = new Conditions
            {
                WatchedMs = x[18],
                ForeignCpuPercent = OneDecimal(x[19]),
                StealPercent = OneDecimal(x[20]),
                CpuPressurePercent = OneDecimal(x[21]),
                MemoryPressurePercent = OneDecimal(x[22]),
                MajorFaults = (long?)x[23],
                CpuClockPercent = OneDecimal(x[24]),
                ThrottleCount = (long?)x[25],
                CpuCelsius = Small(x[26]),
                Power = id,
                StoppedMs = x[27],
                SuspendedMs = x[28],
                ClockSetMs = -x[29],
                GpuClockPercent = OneDecimal(x[30]),
                GpuThrottle = id,
                GpuCelsius = Small(x[31]),
                GpuWatts = Small(x[19]),
                GpuForeignPercent = OneDecimal(x[20]),
            },
            OutputSha256 = id,
            TokenMs = [times.Min(), times.Max()],
            Completed = true,
        };

    private static double? OneDecimal(double? value) => value is { } known ? Math.Round(known, 1) : null;

    private static double? Small(double? value) => OneDecimal(value % 500);

    private static bool SampleEquality(Sample a, Sample b) => (a with { TokenMs = b.TokenMs }) == b;
}
