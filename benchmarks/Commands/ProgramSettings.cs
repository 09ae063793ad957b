using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The options of what is measured outside the suite: programs, files of theirs, servers.</summary>
internal sealed class ProgramSettings
{
    private readonly Option<string?> _python = OptionFactory.Value(
        "--python",
        "Python of the external engines, or one each: transformers=PATH,ipex-llm=PATH. Default: LLAMA3PERF_PYTHON_TRANSFORMERS "
            + "and the like, LLAMA3PERF_PYTHON, or the one on the PATH.",
        OptionFactory.Pythons,
        "path"
    );

    private readonly Option<IReadOnlyDictionary<string, string>?> _peerOptions = OptionFactory.Pairs(
        "--peer-option",
        "Option that external engines give to their programs (benchmarks/peers/README.md); repeatable. "
            + "ipex-llm:load_in_low_bit=asym_int4 is for that one alone."
    );

    private readonly Option<string?> _llamaBench = OptionFactory.Value(
        "--llama-bench",
        "Measures with this llama-bench too. With --engine llama-bench and in the preset: the one on the PATH.",
        OptionFactory.Text,
        "path"
    );

    private readonly Option<string?> _gguf = OptionFactory.Value(
        "--gguf",
        "File that llama-bench and external:openvino load. Default: the first .gguf in the model's folder, else one made of the model.",
        OptionFactory.Text,
        "file"
    );

    private readonly Option<Uri?> _endpoint = OptionFactory.Value<Uri?>(
        "--endpoint",
        "Measures a server with an OpenAI-compatible endpoint too: its address up to /v1, http://localhost:11434/v1.",
        OptionFactory.Address,
        "url"
    );

    private readonly Option<string?> _apiModel = OptionFactory.Value(
        "--api-model",
        "That server's name of the model.",
        OptionFactory.Text,
        "name"
    );

    /// <summary>Those of external engines, for a verb that takes no other programs.</summary>
    public Option[] OfPeers => [_python, _peerOptions, _gguf];

    /// <summary>In the order of the verb's help.</summary>
    public Option[] All => [_python, _peerOptions, _llamaBench, _gguf, _endpoint, _apiModel];

    /// <summary>What was given, over what a verb begins with.</summary>
    public SuiteOptions Over(SuiteOptions basis, ParseResult parsed) =>
        basis with
        {
            Python = parsed.GetValue(_python),
            PeerOptions = parsed.GetValue(_peerOptions) ?? basis.PeerOptions,
            LlamaBench = parsed.GetValue(_llamaBench),
            Gguf = parsed.GetValue(_gguf),
            Endpoint = parsed.GetValue(_endpoint),
            ApiModel = parsed.GetValue(_apiModel),
        };
}
