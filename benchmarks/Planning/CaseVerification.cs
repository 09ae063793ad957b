using Llama3Perf.Inference;
using Llama3Perf.Inference.Verification;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Verifies the models of a run before anything is timed, each once on an engine and a provider.</summary>
/// <param name="against"><c>cpu</c>, for the ort engine on the CPU provider with the same folder, or the path of a reference.json.</param>
internal sealed class CaseVerification(string against)
{
    private readonly Reference? _file = against == "cpu" ? null : Reference.Read(against);
    private readonly Dictionary<(string Folder, string Engine, ExecutionProvider Provider), string?> _failures = [];

    private readonly HashSet<string> _declined = [];

    /// <summary>Why the model's figures would be worth nothing, or null.</summary>
    public string? Failure(VerifiedSide side)
    {
        (string, string, ExecutionProvider) key = (side.Folder.Path, side.Engine, side.Options.Provider);
        if (!_failures.TryGetValue(key, out string? failure))
        {
            failure = Verify(side);
            _failures.Add(key, failure);
        }

        return failure;
    }

    /// <summary>Says, once, that an engine's models cannot be verified.</summary>
    public void Decline(string engine, string reason)
    {
        if (_declined.Add(engine))
        {
            Console.WriteLine($"Not verified: {engine}: {reason}.");
        }
    }

    private string? Verify(VerifiedSide side)
    {
        VerifiedSide? cpu = _file is null
            ? side with
            {
                Folder = side.Source ?? side.Folder,
                Engine = "ort",
                Options = new EngineOptions { Threads = side.Options.Threads },
            }
            : null;
        if (side.Engine == cpu?.Engine && side.Options.Provider == ExecutionProvider.Cpu)
        {
            Console.WriteLine($"Not verified: {side.Name} is the reference itself.");
            return null;
        }

        Console.WriteLine($"Verifying {side.Name} against {cpu?.Name ?? against}.");
        try
        {
            Reference reference = _file ?? ModelVerifier.Answers(cpu!, side, ModelVerifier.Prompts);
            return ModelVerifier.Verify(side, reference, ModelVerifier.Limits(side, cpu)).Failure is { } failure
                ? $"not verified against {reference.Source}: {failure}"
                : null;
        }
        catch (EngineException exception)
        {
            return $"not verified: {exception.Message}";
        }
    }
}
