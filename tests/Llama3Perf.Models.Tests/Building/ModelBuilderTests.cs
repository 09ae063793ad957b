using System.Security.Cryptography;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Tests.Building;

public sealed class ModelBuilderTests : IDisposable
{
    private static readonly ModelBuildOptions s_tiny = new() { Model = "llama-tiny" };

    private readonly TemporaryFolder _root = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_built_folder_is_what_was_asked_for()
    {
        ModelFolder folder = ModelBuilder.Build(
            s_tiny with
            {
                Precision = Precision.Int8,
                BlockSize = 64,
                Target = GraphTarget.DirectML,
            },
            _root["m"],
            cancellationToken: Token
        );

        Assert.Equal((Precision.Int8, 64, GraphFamily.DirectML), (folder.Precision, folder.BlockSize, folder.Family));
        Assert.Equal(("llama-tiny", true, "position_ids"), (folder.Name, folder.IsSynthetic, folder.Names.PositionIds));
        Assert.Equal((2048, 1024, 256, 2), (folder.ContextLength, folder.VocabularySize, folder.HiddenSize, folder.LayerCount));
        Assert.Equal((8, 2, 32), (folder.HeadCount, folder.KeyValueHeadCount, folder.HeadSize));
        Assert.Equal(768, folder.BosTokenId);
        Assert.Equal(3, folder.EosTokenIds.Count);
        Assert.Equal(["m"], Directory.EnumerateFileSystemEntries(_root.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void The_tiny_folder_is_under_5_MB_at_fp32()
    {
        ModelFolder folder = ModelBuilder.Build(s_tiny with { Precision = Precision.Fp32 }, _root["m"], cancellationToken: Token);

        Assert.InRange(Directory.EnumerateFiles(folder.Path).Sum(file => new FileInfo(file).Length), 1_000_000, 5_000_000);
    }

    // A change here changes every folder of every user: raise the format version of the manifest with it.
    [Theory]
    [InlineData(Precision.Int4, "33cf48e6173ab063")]
    [InlineData(Precision.Fp32, "63ba6405a70b447a")]
    public void Bytes_of_the_tiny_model_are_fixed(Precision precision, string expected)
    {
        ModelFolder folder = ModelBuilder.Build(s_tiny with { Precision = precision }, _root["m"], cancellationToken: Token);

        Assert.Equal(expected, Hash(folder));
    }

    [Fact]
    public void Bytes_do_not_depend_on_the_number_of_threads()
    {
        // Chunks of 4 MB: the matrices of this shape take several.
        ModelBuildOptions options = s_tiny with
        {
            Model = WideConfig(),
            Precision = Precision.Fp32,
        };
        string[] hashes =
        [
            .. ((int[])[1, 2, 7]).Select(threads => Hash(Build(options, $"threads-{threads}", new BuildMachine { Threads = threads }))),
        ];

        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public void Another_seed_gives_other_weights_and_the_same_graph()
    {
        ModelFolder first = ModelBuilder.Build(s_tiny, _root["a"], cancellationToken: Token);
        ModelFolder second = ModelBuilder.Build(s_tiny with { Seed = 2 }, _root["b"], cancellationToken: Token);

        Assert.Equal(File.ReadAllBytes(first.GraphPath), File.ReadAllBytes(second.GraphPath));
        Assert.NotEqual(File.ReadAllBytes($"{first.GraphPath}.data"), File.ReadAllBytes($"{second.GraphPath}.data"));
    }

    [Fact]
    public void Progress_ends_at_the_total()
    {
        var reports = new List<BuildProgress>();
        ModelFolder folder = ModelBuilder.Build(s_tiny, _root["m"], new Reporter(reports.Add), Token);

        Assert.Equal(reports.Select(r => r.BytesDone).Order(), reports.Select(r => r.BytesDone));
        Assert.InRange(reports[^1].BytesTotal - reports[^1].BytesDone, 0, 64 * 4096);
        Assert.Equal(new FileInfo($"{folder.GraphPath}.data").Length, reports[^1].BytesTotal);
    }

    [Fact]
    public void Cancellation_leaves_nothing()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var progress = new Reporter(_ => source.Cancel());

        Assert.ThrowsAny<OperationCanceledException>(() => ModelBuilder.Build(s_tiny, _root["m"], progress, source.Token));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Path));
    }

    [Fact]
    public void A_failure_in_the_middle_leaves_nothing()
    {
        var progress = new Reporter(_ => throw new IOException("No space left on device"));

        Refused(() => ModelBuilder.Build(s_tiny, _root["m"], progress, Token), "cannot be written: No space left on device");

        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Path));
    }

    [Fact]
    public void Too_little_disk_space_is_told_before_the_work()
    {
        Refused(() => Build(s_tiny, "m", new BuildMachine { FreeBytes = _ => 1_000_000 }), "Not enough disk space", "0.00 GB are free");

        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Path));
    }

    [Fact]
    public void Builders_of_the_same_folder_share_one_result()
    {
        int written = 0;
        ModelFolder[] folders = new ModelFolder[4];
        Parallel.For(
            0,
            folders.Length,
            new ParallelOptions { MaxDegreeOfParallelism = folders.Length },
            i =>
                folders[i] = ModelBuilder.Build(
                    s_tiny,
                    _root["m"],
                    new Reporter(p => Interlocked.Add(ref written, p.BytesDone == p.BytesTotal ? 1 : 0)),
                    Token
                )
        );

        Assert.Single(folders.Select(folder => folder.Path).Distinct());
        Assert.InRange(written, 0, 1);
        Assert.Equal(["m"], Directory.EnumerateFileSystemEntries(_root.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_running_build_is_waited_for_until_cancelled()
    {
        using var first = BuildDirectory.Acquire(_root["m"], Token);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Token);
        source.CancelAfter(100);

        Assert.ThrowsAny<OperationCanceledException>(() => ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: source.Token));
    }

    [Fact]
    public void What_killed_builds_left_is_removed_and_what_runs_is_not()
    {
        using var running = BuildDirectory.Acquire(_root["running"], Token);
        running.Begin();
        foreach (string stale in (string[])[".m.building", ".other.building"])
        {
            Directory.CreateDirectory(_root[stale]);
            File.WriteAllText(Path.Combine(_root[stale], ".llama3perf-building"), "");
            File.WriteAllText(Path.Combine(_root[stale], "model.onnx.data"), "half");
        }

        ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token);

        Assert.Equal(
            [".running.building", ".running.lock", "m"],
            Directory.EnumerateFileSystemEntries(_root.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void A_folder_that_only_has_the_name_of_a_build_stays()
    {
        foreach (string other in (string[])[".thesis.building", ".empty.building"])
        {
            Directory.CreateDirectory(_root[other]);
        }

        File.WriteAllText(Path.Combine(_root[".thesis.building"], "chapter1.txt"), "years of work");

        ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token);
        Refused(() => ModelBuilder.Build(s_tiny, _root["thesis"], cancellationToken: Token), "is in the way of the build");

        Assert.Equal(
            [".empty.building", ".thesis.building", "m"],
            Directory.EnumerateFileSystemEntries(_root.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal("years of work", File.ReadAllText(Path.Combine(_root[".thesis.building"], "chapter1.txt")));
    }

    [Fact]
    public void The_current_directory_is_not_replaced() =>
        Refused(() => BuildDirectory.Acquire(Directory.GetCurrentDirectory(), Token), "is or holds the current directory");

    [Fact]
    public void A_link_to_an_empty_folder_stays_a_link()
    {
        Directory.CreateDirectory(_root["real"]);
        Links.ToFolder(_root["link"], _root["real"]);

        ModelBuilder.Build(s_tiny, _root["link"], cancellationToken: Token);

        Assert.NotNull(new DirectoryInfo(_root["link"]).LinkTarget);
        Assert.True(File.Exists(Path.Combine(_root["real"], "genai_config.json")));
    }

    [Fact]
    public void What_appears_in_the_target_while_it_is_built_stays()
    {
        var progress = new Reporter(_ =>
        {
            Directory.CreateDirectory(_root["m"]);
            File.WriteAllText(Path.Combine(_root["m"], "notes.txt"), "mine");
        });

        Refused(() => ModelBuilder.Build(s_tiny, _root["m"], progress, Token), "cannot be written");

        Assert.Equal(["m"], Directory.EnumerateFileSystemEntries(_root.Path).Select(Path.GetFileName));
        Assert.Equal("mine", File.ReadAllText(Path.Combine(_root["m"], "notes.txt")));
    }

    [Fact]
    public void A_folder_of_the_same_options_is_reused()
    {
        ModelFolder first = ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token);
        DateTime written = File.GetLastWriteTimeUtc(first.GraphPath);

        ModelFolder second = ModelBuilder.Build(s_tiny, _root["m"], new Reporter(_ => Assert.Fail("built again")), Token);

        Assert.Equal(written, File.GetLastWriteTimeUtc(second.GraphPath));
    }

    [Fact]
    public void A_damaged_folder_of_the_same_options_is_made_anew()
    {
        ModelFolder first = ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token);
        string hash = Hash(first);
        File.WriteAllText($"{first.GraphPath}.data", "truncated");

        Assert.Equal(hash, Hash(ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token)));
    }

    [Fact]
    public void A_folder_that_holds_something_else_is_not_touched()
    {
        Directory.CreateDirectory(_root["m"]);
        File.WriteAllText(Path.Combine(_root["m"], "thesis.txt"), "years of work");

        Refused(() => ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token), "holds something else");

        Assert.Equal("years of work", File.ReadAllText(Path.Combine(_root["m"], "thesis.txt")));
        Assert.Equal(["m"], Directory.EnumerateFileSystemEntries(_root.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_file_in_the_way_is_named()
    {
        File.WriteAllText(_root["f"], "");

        Refused(() => ModelBuilder.Build(s_tiny, _root["f"], cancellationToken: Token), "it is a file");
        Refused(() => ModelBuilder.Build(s_tiny, Path.Combine(_root["f"], "m"), cancellationToken: Token), "cannot be written");
    }

    [Fact]
    public void No_permission_is_one_line()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("needs file modes, and a user whom they bind");
            return;
        }

        File.SetUnixFileMode(_root.Path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Refused(() => ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token), "No permission");
        }
        finally
        {
            File.SetUnixFileMode(_root.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData(33, 4, "Block size 33 does not exist. Use one of 16, 32, 64, 128, 256.")]
    [InlineData(32, 5, "Accuracy level 5 does not exist")]
    public void Impossible_options(int blockSize, int accuracyLevel, string message) =>
        Refused(
            () =>
                ModelBuilder.Build(
                    s_tiny with
                    {
                        BlockSize = blockSize,
                        AccuracyLevel = accuracyLevel,
                    },
                    _root["m"],
                    cancellationToken: Token
                ),
            message
        );

    [Fact]
    public void No_folder_holds_bf16() =>
        Refused(
            () => ModelBuilder.Build(s_tiny with { Precision = Precision.Bf16 }, _root["m"], cancellationToken: Token),
            "No folder holds bf16 weights: it is a precision of external engines alone"
        );

    [Fact]
    public void A_block_that_does_not_divide_a_width_names_those_that_do() =>
        Refused(
            () =>
                ModelBuilder.Build(
                    s_tiny with
                    {
                        Model = WideConfig(intermediate: 704),
                        BlockSize = 128,
                    },
                    _root["m"],
                    cancellationToken: Token
                ),
            "Block size 128 does not divide intermediate_size 704",
            "Use one of 16, 32, 64."
        );

    [Fact]
    public void A_vocabulary_without_room_for_bytes_and_special_tokens() =>
        Refused(
            () => ModelBuilder.Build(s_tiny with { Model = WideConfig(vocabulary: 300) }, _root["m"], cancellationToken: Token),
            "vocab_size 300"
        );

    private static string Hash(ModelFolder folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in (string[])["model.onnx", "model.onnx.data", "genai_config.json", "llama3perf.json"])
        {
            hash.AppendData(File.ReadAllBytes(Path.Combine(folder.Path, file)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static void Refused(Action build, params string[] parts)
    {
        string message = Assert.Throws<ModelException>(build).Message;
        Assert.All(parts, part => Assert.Contains(part, message));
        Assert.DoesNotContain('\n', message);
    }

    private ModelFolder Build(ModelBuildOptions options, string name, BuildMachine machine) =>
        ModelBuilder.Build(BuildPlan.Create(options), _root[name], machine, null, Token);

    private string WideConfig(int intermediate = 2048, int vocabulary = 1024)
    {
        Directory.CreateDirectory(_root["config"]);
        string path = Path.Combine(_root["config"], "config.json");
        File.WriteAllText(
            path,
            $$"""
            {
              "model_type": "llama", "hidden_size": 768, "intermediate_size": {{intermediate}}, "num_hidden_layers": 1, "vocab_size": {{vocabulary}},
              "num_attention_heads": 12, "num_key_value_heads": 4, "max_position_embeddings": 512, "rms_norm_eps": 1e-05
            }
            """
        );
        return path;
    }

    private sealed class Reporter(Action<BuildProgress> report) : IProgress<BuildProgress>
    {
        public void Report(BuildProgress value) => report(value);
    }
}
