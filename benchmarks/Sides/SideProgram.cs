using Llama3Perf.Benchmarks.Harness;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>A build and its options: what a side is made of.</summary>
/// <param name="Label">What messages call it: baseline, or current side.</param>
/// <param name="Program">The build.</param>
/// <param name="Arguments">Options of the verb <c>run</c>.</param>
/// <param name="Output">Folder of its run.</param>
/// <param name="Directory">Current directory, for relative paths among the options; null for this process's.</param>
internal sealed record SideProgram(
    string Label,
    SuiteProgram Program,
    IReadOnlyList<string> Arguments,
    string Output,
    string? Directory = null
)
{
    /// <summary>Starts sides, all by the same way: the conversation where every build knows it, else one run for each launch.</summary>
    /// <param name="programs">The sides.</param>
    /// <param name="say">Told what they print.</param>
    public static IReadOnlyList<ISide> Start(IReadOnlyList<SideProgram> programs, Action<string> say)
    {
        bool areNew = programs.All(side => side.Knows());
        List<ISide> sides = [];
        try
        {
            foreach (SideProgram program in programs)
            {
                sides.Add(areNew ? ServedSide.Start(program, say) : OlderSide.Start(program, say));
            }

            return sides;
        }
        catch
        {
            sides.ForEach(side => side.Dispose());
            throw;
        }
    }

    private bool Knows()
    {
        if (Program == SuiteProgram.This)
        {
            return true;
        }

        using System.Diagnostics.Process process = Program.Start([LaunchServer.Verb, LaunchServer.ProtocolOption]);
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        _ = errors.Result;
        return process.ExitCode == 0 && output.Trim() == $"{SideMessage.Protocol}";
    }
}
