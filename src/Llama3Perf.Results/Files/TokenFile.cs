using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>Reads tokens.csv: the tokens of an iteration stand together, in order, and all of them are there.</summary>
internal static class TokenFile
{
    private static readonly Action<Sample, IReadOnlyList<double>> s_setTokenMs = Column.Setter((Sample sample) => sample.TokenMs);

    /// <summary>Fills <see cref="Sample.TokenMs"/> of samples that are still being read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="find">The sample of a row, or null.</param>
    /// <exception cref="RunFileException">It is not a readable tokens.csv of these samples.</exception>
    public static void Read(string path, Func<TokenRow, Sample?> find)
    {
        using TableReader<TokenRow> reader = new(TokenSchema.Table, path);
        while (reader.Read() is { } token)
        {
            string iteration = $"iteration {token.Iteration} of launch {token.LaunchIndex} of '{token.CaseId}'";
            Sample sample = find(token) ?? throw reader.Error("iteration", $"{RunFolder.Samples} has no {iteration}");
            if (token.RunId != sample.Run.RunId || token.Weights != sample.Case.Weights)
            {
                throw reader.Error(
                    "run_id",
                    $"{RunFolder.Samples} has {iteration} of run {sample.Run.RunId} with {sample.Case.Weights} weights"
                );
            }

            if (sample.TokenMs.Count > 0)
            {
                throw reader.Error("iteration", $"{iteration} stands in rows above already");
            }

            s_setTokenMs(sample, ReadIteration(token, sample.NewTokens, iteration, reader));
        }
    }

    private static double[] ReadIteration(TokenRow first, int count, string iteration, TableReader<TokenRow> reader)
    {
        List<double> times = [];
        for (TokenRow? token = first; ; token = reader.Read())
        {
            int index = times.Count + 1;
            if (token is null || token.TokenIndex != index || !IsSameIteration(token, first))
            {
                throw reader.Error("token_index", $"token {index} of {count} of {iteration} is missing");
            }

            if (index > 1 && token.Ms < times[^1])
            {
                throw reader.Error("t_ms", $"token {index} of {iteration} is earlier than the token before it");
            }

            times.Add(token.Ms);
            if (index >= count)
            {
                return [.. times];
            }
        }
    }

    private static bool IsSameIteration(TokenRow token, TokenRow first) =>
        (token.RunId, token.CaseId, token.Weights, token.LaunchIndex, token.Iteration)
        == (first.RunId, first.CaseId, first.Weights, first.LaunchIndex, first.Iteration);
}
