using System.Globalization;
using System.Text.RegularExpressions;
using Llama3Perf.Inference.Engines.External;

namespace Llama3Perf.Inference.Tests.Engines.External;

/// <summary>What a peer says in the right and in each wrong way, over a real process.</summary>
public sealed partial class ExternalGeneratorTests
{
    [Fact]
    public void A_good_peer_generates_with_its_own_times()
    {
        using ExternalGenerator generator = new(".", Peers.Fake("good") with { Threads = 2 });

        GenerationResult result = generator.Generate([1, 5, 9], 20);

        Assert.Equal(17, result.NewTokens.Length);
        Assert.All(result.NewTokens, id => Assert.InRange(id, 3, 1023));
        Assert.Equal(result.NewTokens, generator.Generate([1, 5, 9], 20).NewTokens);
        Assert.NotEqual(result.NewTokens, generator.Generate([1, 5, 8], 20).NewTokens);
        Assert.Equal(3, result.PromptTokens);
        Assert.True(result.PrefillMs >= 0.5);
        Assert.True(result.TtftMs >= result.PrefillMs);
        Assert.Equal(result.TokenMs.Order(), result.TokenMs);
        Assert.True(result.DecodeMs >= 1.5);
        Assert.Equal(0, result.ResetMs);
        Assert.Equal(64 << 20, result.PeakRssBytes);
        Assert.Null(result.PeakGpuBytes);
    }

    [Fact]
    public void A_description_tells_backend_device_versions_and_warnings()
    {
        using ExternalGenerator generator = new(".", Peers.Fake("good") with { Threads = 2, Device = ExecutionProvider.Xpu });

        EngineDescription description = generator.Description;

        Assert.Equal("external:fake", description.Engine);
        Assert.Equal(ExecutionProvider.Xpu, description.Provider);
        Assert.Equal("Fake device", description.Device);
        Assert.Equal(2, description.Threads);
        Assert.Equal("1.0", description.Versions!["fake"]);
        Assert.Equal("fake_peer 1.0", description.Versions["peer"]);
        Assert.Equal(["nothing here is real"], description.Notes);
        Assert.Equal(1024, generator.VocabSize);
        Assert.Equal([1, .. "é a"u8.ToArray().Select(b => (int)b)], generator.Encode("é a", addBos: true));
    }

    [Theory]
    [InlineData("Fake (R) Device")]
    [InlineData(null)]
    public void The_adapter_that_was_chosen_is_the_one_that_is_named(string? chosen)
    {
        using ExternalGenerator generator = new(".", Peers.Fake("good") with { DeviceName = chosen });

        Assert.Equal("Fake device", generator.Description.Device);
    }

    [Fact]
    public void Another_adapter_than_the_chosen_one_is_refused_with_both_names() =>
        Assert.Contains(
            "was given the number of 'Radeon 780M' and loaded on 'Fake device'",
            Peers.LoadRefused(Peers.Fake("good") with { DeviceName = "Radeon 780M" }),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_dynamic_cache_is_noted()
    {
        using ExternalGenerator generator = new(
            ".",
            Peers.Saying(Peers.Greeting, Peers.Loaded.Replace("\"vocab", "\"kv_cache\":\"dynamic\",\"vocab", StringComparison.Ordinal))
        );

        Assert.Equal(["dynamic KV cache"], generator.Description.Notes);
    }

    [Fact]
    public void A_precision_that_an_option_made_is_the_answers()
    {
        string loaded = Peers.Loaded.Replace("fp32", "bf16", StringComparison.Ordinal);
        PeerOptions options = Peers.Saying(Peers.Greeting, loaded) with
        {
            Options = new Dictionary<string, string> { ["load_in_low_bit"] = "bf16" },
        };
        using ExternalGenerator generator = new(".", options);

        Assert.Equal("bf16", generator.Description.Precision);
    }

    [Fact]
    public void Operators_that_ran_on_the_CPU_are_told()
    {
        string generated =
            """{"id":2,"result":{"tokens":[7],"received_ns":9,"start_ns":10,"prefill_end_ns":20,"token_ns":[30],"end_ns":30,"""
            + "\"cpu_fallback_ops\":[\"aten::cumsum\\n.out\"]}}";
        using ExternalGenerator generator = new(".", Peers.Saying(Peers.Greeting, Peers.Loaded, generated));

        Assert.Equal(["aten::cumsum .out"], generator.Generate([1], 2).CpuFallbackOps);
    }

    [Fact]
    public void Logits_after_the_prompt_come_when_they_are_asked_for()
    {
        using ExternalGenerator shows = new(".", Peers.Fake("logits"));
        using ExternalGenerator silent = new(".", Peers.Fake("good"));

        GenerationResult shown = shows.GenerateShown([1, 5], 6);

        Assert.Equal(Enumerable.Range(0, 1024).Select(id => id == shown.NewTokens[0] ? 1f : 0), shown.LastLogits);
        Assert.Null(shows.Generate([1, 5], 6).LastLogits);
        Assert.Null(silent.GenerateShown([1, 5], 6).LastLogits);
    }

    [Theory]
    [InlineData("[0,1,2,3,4,5,6,7,8,null]", null)]
    [InlineData("[0,1]", "told 2 logits, and its vocabulary has 10")]
    [InlineData("[\"0\"]", "that is not the peer protocol")]
    public void Logits_that_are_no_row_of_the_vocabulary_are_refused(string logits, string? refusal)
    {
        string generated =
            """{"id":2,"result":{"tokens":[7],"received_ns":9,"start_ns":10,"prefill_end_ns":20,"token_ns":[30],"end_ns":30,"last_logits":"""
            + logits
            + "}}";
        using ExternalGenerator generator = new(".", Peers.Saying(Peers.Greeting, Peers.Loaded, generated));

        if (refusal is not null)
        {
            Assert.Contains(refusal, Peers.Refused(() => generator.GenerateShown([1], 2)), StringComparison.Ordinal);
            return;
        }

        // What is no number has no word in JSON.
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, float.NaN], generator.GenerateShown([1], 2).LastLogits!);
    }

    [Fact]
    public void Half_of_the_true_time_is_marked()
    {
        // Long enough that the half which is kept back is above the tolerance on any machine.
        using ExternalGenerator generator = new(".", Peers.Fake("lies-about-time", "--prefill-ms", "60"));

        GenerationResult result = generator.Generate([1, 5], 10);

        Assert.True(result.ClockDisagreementMs >= 25, $"{result.ClockDisagreementMs}");
    }

    [Theory]
    [InlineData("garbage", "printed 'Loading checkpoint shards: 100%' in answer to 'generate'; that is not the peer protocol")]
    [InlineData("dies-in-generate", "did not answer 'generate': it ended with exit code 3 in the middle of '{\"id\": 2, ")]
    [InlineData("dies-in-generate", "; its last words: last words")]
    [InlineData("wrong-count", "generated 9 tokens instead of 10")]
    [InlineData("million-lines", "printed 'line 0' in answer to 'generate'; that is not the peer protocol")]
    [InlineData("wrong-id", "answered 'generate' under the id 1002 instead of 2")]
    [InlineData("backwards-clock", "told a time that runs backwards: token 10 at ")]
    [InlineData("nan-ids", "in answer to 'generate' (at $.tokens[0]); that is not the peer protocol")]
    [InlineData("silent-generate", "did not answer 'generate' within 1.5 s")]
    [InlineData("half-line", "did not answer 'generate' within 1.5 s")]
    public void A_peer_that_breaks_the_protocol_is_named_and_dead(string mode, string message)
    {
        using ExternalGenerator generator = Peers.Load(mode);
        int id = generator.ProcessId;

        string refused = Peers.Refused(() => generator.Generate([1, 5], 12));

        Assert.StartsWith("external:fake ", refused, StringComparison.Ordinal);
        Assert.Contains(message, refused, StringComparison.Ordinal);
        Assert.True(Peers.IsGone(id));
        Assert.StartsWith(
            "external:fake does not run any more: ",
            Peers.Refused(() => generator.Generate([1, 5], 12)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_line_without_end_is_cut_off()
    {
        PeerOptions fake = Peers.Fake("huge-line");
        using ExternalGenerator generator = new(".", fake with { Limits = fake.Limits with { LineBytes = 1 << 20 } });

        Assert.Contains(
            "printed a line of more than 1048576 bytes: 'xxxx",
            Peers.Refused(() => generator.Generate([1, 5], 12)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Errors_without_end_hold_nobody_up()
    {
        using ExternalGenerator generator = new(".", Peers.Fake("floods-stderr"));

        Assert.Equal(10, generator.Generate([1, 5], 12).NewTokens.Length);
    }

    [Fact]
    public void A_child_of_a_stuck_peer_dies_with_it()
    {
        using ExternalGenerator generator = Peers.Load("spawns-child");

        string message = Peers.Refused(() => generator.Generate([1, 5], 12));

        Assert.True(Peers.IsGone(int.Parse(Grandchild().Match(message).Groups["id"].Value, CultureInfo.InvariantCulture)), message);
    }

    [Fact]
    public void A_child_that_a_dead_peer_left_behind_dies_too()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux tells the environment of a process whose parent is dead");
        const string Script = """
            import subprocess, sys
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
            print("grandchild", child.pid, file=sys.stderr)
            """;

        string message = Peers.LoadRefused(Peers.Running(Script));

        Assert.Contains("did not greet: it ended with exit code 0", message, StringComparison.Ordinal);
        Assert.True(Peers.IsGone(int.Parse(Grandchild().Match(message).Groups["id"].Value, CultureInfo.InvariantCulture)), message);
    }

    [Fact]
    public void A_peer_that_ignores_the_end_of_its_input_is_killed()
    {
        ExternalGenerator generator = Peers.Load("no-exit");
        int id = generator.ProcessId;
        Assert.True(Peers.Runs(id));

        generator.Dispose();
        generator.Dispose();

        Assert.True(Peers.IsGone(id));
    }

    [Theory]
    [InlineData("out-of-memory", "external:fake: the fake model needs 1 EiB: take a smaller model (out_of_memory)")]
    [InlineData(
        "missing-module",
        "external:fake: the Python module fakelib is not installed: python -m pip install fakelib (missing_module)"
    )]
    [InlineData(
        "old-version",
        "external:fake (fake_peer 1.0) speaks version 99 of the protocol, this suite version 1; take the program that came with the suite"
    )]
    public void A_peer_that_cannot_load_says_why(string mode, string message) =>
        Assert.Equal(message, Peers.Refused(() => Peers.Load(mode)));

    [Fact]
    public void A_peer_that_never_greets_is_given_up()
    {
        PeerOptions fake = Peers.Fake("silent");

        Assert.Equal(
            "external:fake did not greet within 0.3 s",
            Peers.LoadRefused(fake with { Limits = fake.Limits with { Greeting = TimeSpan.FromMilliseconds(300) } })
        );
    }

    [Fact]
    public void An_error_answer_leaves_the_peer_serving()
    {
        string generated =
            """{"id":3,"result":{"tokens":[7],"received_ns":9,"start_ns":10,"prefill_end_ns":20,"token_ns":[30],"end_ns":30}}""";
        using ExternalGenerator generator = new(
            ".",
            Peers.Saying(Peers.Greeting, Peers.Loaded, """{"id":2,"error":{"code":"failed","message":"once\nonly"}}""", generated)
        );

        Assert.Equal("external:scripted: once only (failed)", Peers.Refused(() => generator.Generate([1], 2)));
        GenerationResult result = generator.Generate([1], 2);
        Assert.Equal([7], result.NewTokens);
        Assert.Equal(2e-5, result.TtftMs, 1e-12);
        Assert.Equal(1e-5, result.PrefillMs, 1e-12);
    }

    [Theory]
    [InlineData("""{"protocol":"other","version":1,"program":"p"}""", "speaks 'other', not llama3perf-peer")]
    [InlineData("""{"protocol":"llama3perf-peer","version":1}""", "instead of a greeting")]
    [InlineData("""{"protocol":"llama3perf-peer","version":1,"program":null}""", "instead of a greeting")]
    [InlineData("null", "printed 'null' instead of a greeting")]
    [InlineData("", "printed '' instead of a greeting")]
    public void A_wrong_greeting(string greeting, string message) =>
        Assert.Contains(message, Peers.LoadRefused(Peers.Saying(greeting)), StringComparison.Ordinal);

    [Theory]
    [InlineData(
        """{"id":1,"result":{"device":"cuda","precision":"fp32","vocab_size":10}}""",
        "was asked for the device cpu and loaded on 'cuda'"
    )]
    [InlineData("""{"id":1,"result":{"device":"cpu","precision":"bf16","vocab_size":10}}""", "was asked for fp32 and loaded 'bf16'")]
    [InlineData("""{"id":1,"result":{"device":"cpu","precision":"fp32","vocab_size":0}}""", "told a vocabulary of 0 tokens")]
    [InlineData("""{"id":1}""", "answered 'load' with neither result nor error")]
    [InlineData("""{"result":{}}""", "answered 'load' under the id null instead of 1")]
    public void A_wrong_answer_to_load(string answer, string message) =>
        Assert.Contains(message, Peers.LoadRefused(Peers.Saying(Peers.Greeting, answer)), StringComparison.Ordinal);

    [Fact]
    public void Words_that_nobody_asked_for_are_no_answer()
    {
        string early =
            Peers.Loaded
            + "\n"
            + """{"id":2,"result":{"tokens":[7],"received_ns":9,"start_ns":10,"prefill_end_ns":20,"token_ns":[30],"end_ns":30}}""";
        using ExternalGenerator generator = new(".", Peers.Saying(Peers.Greeting, early));
        Thread.Sleep(200);

        Assert.Contains("that nobody had asked for", Peers.Refused(() => generator.Generate([1], 2)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_that_nobody_reads_ends_too()
    {
        string script =
            $"import sys, time; sys.stdout.write('{Peers.Greeting}\\n'); sys.stdout.flush(); sys.stdin.readline(); print('{Peers.Loaded}', "
            + "flush=True); time.sleep(60)";
        PeerOptions options = Peers.Running(script) with { MaxLength = 1 << 20 };
        using ExternalGenerator generator = new(
            ".",
            options with
            {
                Limits = options.Limits with { Generate = TimeSpan.FromMilliseconds(400) },
            }
        );

        Assert.Contains(
            "did not read the request 'generate' within 0.4 s",
            Peers.Refused(() => generator.Generate(new int[500_000], 500_001)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_prompt_that_the_model_cannot_take_is_refused_before_it_is_sent()
    {
        using ExternalGenerator generator = new(".", Peers.Fake("good"));

        Assert.Contains(
            "the prompt's token 1024 is outside the model's vocabulary of 1024",
            Peers.Refused(() => generator.Generate([1, 1024], 12)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "loaded the model for sequences of 64 tokens, not 65",
            Peers.Refused(() => generator.Generate([1], 65)),
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => generator.Generate([], 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => generator.Generate([1, 2], 2));
        Assert.Equal(2, generator.Generate([1, 2], 4).NewTokens.Length);
    }

    [Fact]
    public void A_program_that_is_not_there() =>
        Assert.StartsWith(
            "external:nothing cannot be started: ",
            Peers.LoadRefused(new PeerOptions("/no/such/program", "nothing") { MaxLength = 5 }),
            StringComparison.Ordinal
        );

    [Fact]
    public void It_runs_where_the_options_were_made_and_finds_its_model_from_there()
    {
        // The process that measures is another one, in the folder that it was built in.
        string folder = Path.Combine(Fixtures.Root, "tests");
        PeerOptions telling = Peers.Running(
            $"import json, os, sys; print('{Peers.Greeting}', flush=True); model = json.loads(sys.stdin.readline())['params']['model']; "
                + "sys.exit('|'.join([os.getcwd(), model]))"
        );

        Assert.Contains(
            $"{folder}|{Path.Combine(folder, "models", "m.gguf")}",
            Peers.Refused(() => new ExternalGenerator(Path.Combine("models", "m.gguf"), telling with { Directory = folder }).Dispose()),
            StringComparison.Ordinal
        );
        Assert.Equal(Environment.CurrentDirectory, telling.Directory);
    }

    [Fact]
    public void A_peer_that_hangs_at_load_is_given_up()
    {
        PeerOptions hanging = Peers.Running(
            $"import sys, time; print('{Peers.Greeting}', flush=True); sys.stdin.readline(); time.sleep(60)"
        );

        Assert.Equal(
            "external:scripted did not answer 'load' within 0.3 s",
            Peers.LoadRefused(hanging with { Limits = hanging.Limits with { Load = TimeSpan.FromMilliseconds(300) } })
        );
    }

    [Fact]
    public void A_peer_that_hangs_at_its_first_generation_is_given_up()
    {
        PeerOptions hanging = Peers.Running(
            $"import sys, time; print('{Peers.Greeting}', flush=True); sys.stdin.readline(); print('{Peers.Loaded}', flush=True); "
                + "sys.stdin.readline(); time.sleep(60)"
        );
        using ExternalGenerator generator = new(
            ".",
            hanging with
            {
                Limits = hanging.Limits with { Generate = TimeSpan.FromMilliseconds(300) },
            }
        );

        Assert.Equal("external:scripted did not answer 'generate' within 0.3 s", Peers.Refused(() => generator.Generate([1], 3)));
    }

    [Theory]
    [InlineData("SIGABRT", 134)]
    [InlineData("SIGSEGV", 139)]
    [InlineData("SIGKILL", 137)]
    public void A_signal_that_ends_a_peer_is_named(string signal, int exitCode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals");
        string script =
            $"import os, sys, signal; print('{Peers.Greeting}', flush=True); sys.stdin.readline(); os.kill(os.getpid(), signal.{signal}); "
            + "signal.pause()";

        Assert.Contains(
            $"did not answer 'load': it ended with exit code {exitCode}: the signal {signal}",
            Peers.LoadRefused(Peers.Running(script)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_last_words_survive_a_flood()
    {
        const string Script = "import sys; sys.stderr.write('x\\n' * 100000 + '\\n\\nTraceback\\n  boom\\x1b[0m\\n'); sys.exit(7)";

        Assert.Equal(
            "external:scripted did not greet: it ended with exit code 7; its last words: Traceback | boom [0m",
            Peers.LoadRefused(Peers.Running(Script))
        );
    }

    [GeneratedRegex("grandchild (?<id>[0-9]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Grandchild();
}
