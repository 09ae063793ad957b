using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Llama3Perf.Benchmarks.Commands;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Fuzz.Mutations;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;

namespace Llama3Perf.Fuzz;

// What engines read, and what other programs and the system say.
internal static partial class FuzzTargets
{
    private static FuzzTarget Tokenizer(string folder)
    {
        string model = Tiny(folder);
        return OnFile(
            "tokenizer.json",
            Path.Combine(model, "tokenizer.json"),
            (input, random) => random.Next(10) == 0 ? ByteMutation.Apply(input, random) : JsonMutation.Apply(input, random),
            read =>
            {
                ModelTokenizer tokenizer = ModelTokenizer.Open(model);
                _ = tokenizer.Decode([.. tokenizer.Encode("Hello, wörld 123  \n\uD83D\uDE00<|eot_id|>")]);
            },
            OfEngines
        );
    }

    private static FuzzTarget References(string folder)
    {
        string file = Path.Combine(folder, "reference.json");
        File.WriteAllText(file, """{"cases":[{"prompt":"a b","input_ids":[1,2],"last_logits":[0.5,-1.25,3],"greedy_new_tokens":[2,0]}]}""");
        return OnFile("reference.json", file, JsonMutation.Apply, _ => Reference.Read(file), OfEngines);
    }

    private static FuzzTarget PeerGreetings(string folder) =>
        Messages(
            "peer-greeting",
            PeerJson.Default.PeerGreeting,
            _ => { },
            """{"protocol":"llama3perf-peer","version":1,"program":"p 1"}"""
        );

    private static FuzzTarget PeerLoads(string folder) =>
        Messages(
            "peer-load",
            PeerJson.Default.LoadResult,
            _ => { },
            """{"device":"cpu","precision":"fp32","vocab_size":10,"device_name":"x","versions":{"torch":"2"},"eos_token_ids":[2],"kv_cache":"dynamic","warnings":["w"]}"""
        );

    private static FuzzTarget PeerGenerations(string folder) =>
        Messages(
            "peer-generate",
            PeerJson.Default.GenerateResult,
            result =>
            {
                if (PeerAnswerRules.WhyWrong(result, 2, new LoadResult("cpu", "fp32", 10)) is { } reason)
                {
                    throw new JsonException(reason);
                }

                _ = PeerAnswerRules.ToResult(new PeerReply<GenerateResult>(result, 1), 3, DateTimeOffset.UnixEpoch).DecodeTps;
            },
            """{"tokens":[7,8],"received_ns":9,"start_ns":10,"prefill_end_ns":20,"token_ns":[30,50],"end_ns":60,"memory":{"peak_rss_bytes":1,"peak_device_bytes":2},"last_logits":[0.5,null,1,2,3,4,5,6,7,8]}"""
        );

    private static FuzzTarget Messages<T>(string name, JsonTypeInfo<T> type, Action<T> use, string seed) =>
        new(
            name,
            [Bytes(seed)],
            (input, random) => random.Next(4) == 0 ? ByteMutation.Apply(input, random) : JsonMutation.Apply(input, random),
            input =>
            {
                T? message;
                try
                {
                    message = JsonSerializer.Deserialize(input, type);
                }
                catch (Exception e) when (OfMessages(e))
                {
                    throw new JsonException(PeerProcess.NotTheProtocol(input, "instead of an answer", e), e);
                }

                use(message ?? throw new JsonException("null"));
            },
            OfMessages
        );

    private static FuzzTarget Placement(string folder) =>
        new(
            "placement-profile",
            [
                Bytes(
                    """[{"cat":"Node","name":"n_kernel_time","args":{"op_name":"MatMul","provider":"CPUExecutionProvider"}},{"cat":"Session","name":"s"}]"""
                ),
            ],
            JsonMutation.Apply,
            input => PlacementProfile.Warning(input, "DmlExecutionProvider"),
            OfMessages
        );

    private static FuzzTarget NativeImages(string folder) =>
        new(
            "native-image",
            [
                [.. File.ReadAllBytes(TestLibrary())[..4096]],
                [0x4D, 0x5A, .. new byte[58], 0x40, 0, 0, 0, 0x50, 0x45, 0, 0, 0x64, 0x86, .. new byte[20]],
                [0xCF, 0xFA, 0xED, 0xFE, 7, 0, 0, 1, .. new byte[24]],
            ],
            ByteMutation.Apply,
            input =>
            {
                if (NativeImage.Parse(input) is not { } image)
                {
                    throw new InvalidDataException("no image");
                }

                _ = image.Describe();
            },
            e => e is InvalidDataException
        );

    // Any native library of the runtime.
    private static string TestLibrary() =>
        Directory
            .EnumerateFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!)
            .First(file => NativeLibraries.IsFileOf("coreclr", Path.GetFileName(file)));

    private static FuzzTarget Machines(string folder) =>
        new(
            "machine",
            [
                .. Directory
                    .EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Seeds", "machine"), "*", SearchOption.AllDirectories)
                    .Select(File.ReadAllBytes)
                    .Where(file => file.Length < 100_000),
            ],
            ByteMutation.Apply,
            input =>
            {
                string text = Encoding.UTF8.GetString(input);
                _ = (NvidiaSmiParser.ParseGpus(text), NvidiaSmiParser.ParseProcessBytes(text, 1));
                _ = (
                    LinuxParser.CpuName(text),
                    LinuxParser.OsName(text),
                    LinuxParser.Kilobytes(text, "MemTotal"),
                    LinuxParser.Bytes(text),
                    LinuxParser.Uevent(text),
                    LinuxParser.NvidiaVersion(text)
                );
                _ = PciIds.Name(text.Split('\n'), "0x8086", "0x7d55");
                _ = (
                    MacOSParser.Gpus(text),
                    MacOSParser.PowerSource(text, text),
                    MacOSParser.PlatformId(text),
                    MacOSParser.AvailableBytes(text),
                    MacOSParser.OsBuild(text)
                );
                _ = (WindowsParser.PowerPlan(text), WindowsParser.OsBuild(text, text, text, 1), WindowsParser.Date(text));
            },
            Never
        )
        {
            Refuses = false,
        };

    private static FuzzTarget OptionValues(string folder)
    {
        Func<string, object?>[] readers =
        [
            text => OptionFactory.Integer(1, 1000)(text),
            text => OptionFactory.Number(0, 1)(text),
            text => ResultsVerb.Share(text),
            text => OptionFactory.PrecisionOf(text),
            text => OptionFactory.ProviderOf(text),
            text => OptionFactory.EngineOf(text),
            text => OptionFactory.Text(text),
            text => OptionFactory.Model(text),
            text => Prompt.Arguments(text),
            Prompt.Parse,
            ChatTemplate.Get,
            PeerCommand.Parse,
            text => DeviceSelector.Select([new GpuInfo { Index = 0, Name = "a GPU" }], text),
        ];
        return new FuzzTarget(
            "option-value",
            [
                .. (
                    (string[])
                        [
                            "12",
                            "5%",
                            "int4",
                            "cpu",
                            "external:python3 \"a b\" c",
                            "llama-tiny",
                            "OpenVINO is,pp512,\"a, b\"",
                            "@file.txt",
                            "llama3",
                            "GPU",
                        ]
                ).Select(Bytes),
            ],
            ByteMutation.Apply,
            input =>
            {
                string text = Encoding.UTF8.GetString(input);
                List<Exception> refusals = [];
                foreach (Func<string, object?> reader in readers)
                {
                    try
                    {
                        _ = reader(text);
                    }
                    catch (Exception e) when (OfCommandLine(e))
                    {
                        refusals.Add(e);
                    }
                }

                Assert.All(refusals, refusal => Assert.InRange(Failure.OneLine(refusal.Message).Length, 1, 1000));
            },
            Never
        )
        {
            Refuses = false,
        };
    }
}
