using System.Diagnostics;
using System.Globalization;
using Llama3Perf.Fuzz.Mutations;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Models;
using Llama3Perf.Models.Converting;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Fuzz;

/// <summary>
/// Damaged GGUF files that our reader takes are given to llama.cpp, in a process of their own: it loads and runs them or refuses them, and
/// does not end the process. A few with the other tests; as many as wanted with
/// <c>LLAMA3PERF_FUZZ_INPUTS=20000 dotnet test -c Release --project tests/Llama3Perf.Fuzz --filter-class '*GgufSurvivorTests'</c>.
/// </summary>
public sealed class GgufSurvivorTests : IDisposable
{
    private const string Files = "LLAMA3PERF_FUZZ_SURVIVORS";
    private const int UsualInputs = 300;
    private const int UsualSurvivors = 25;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-survivors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_our_reader_takes_does_not_end_llama_cpp()
    {
        // This is the process of their own.
        if (Environment.GetEnvironmentVariable(Files) is { } list)
        {
            LoadEach(list);
            return;
        }

        long inputs = Number("LLAMA3PERF_FUZZ_INPUTS") ?? UsualInputs;
        int most = inputs == UsualInputs ? UsualSurvivors : int.MaxValue;
        List<string> findings = [];
        int survivors = 0;
        int loaded = 0;
        foreach (string[] files in Survivors(inputs).Take(most).Chunk(500))
        {
            survivors += files.Length;
            loaded += Load(files, findings);
            Array.ForEach(files, File.Delete);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{inputs} inputs, {survivors} taken by our reader, {loaded} of them loaded");
        Assert.Empty(findings);
        Assert.InRange(loaded, 1, survivors);
    }

    // Damages what llama.cpp computes from: keys and tensors, more seldom the vocabulary.
    private IEnumerable<string> Survivors(long inputs)
    {
        var source = ModelFolderReader.Open(FuzzTargets.Tiny(_folder));
        string whole = GgufConverter.Convert(source, Path.Combine(_folder, "gguf")).GraphPath;
        byte[] bytes = File.ReadAllBytes(whole);
        byte[] header = bytes[..(int)GgufFile.Open(whole).Tensors[0].Offset];
        int tokens = header.AsSpan().IndexOf("tokenizer.ggml.tokens"u8);
        int behind = header.AsSpan().IndexOf("tokenizer.ggml.bos_token_id"u8);
        Random random = new((int)(Number("LLAMA3PERF_FUZZ_SEED") ?? 1));
        for (long i = 0; i < inputs; i++)
        {
            byte[] damaged = random.Next(4) == 0 ? ByteMutation.Apply(header, random) : [.. header];
            for (int count = random.Next(1, 4); count > 0 && damaged.Length == header.Length; count--)
            {
                int at = random.Next(2) == 0 ? random.Next(tokens) : random.Next(behind, header.Length);
                damaged[at] = (byte)(random.Next(3) == 0 ? random.Next(256) : damaged[at] ^ (1 << random.Next(8)));
            }

            string file = Path.Combine(_folder, $"{i}.gguf");
            File.WriteAllBytes(file, [.. damaged, .. bytes.AsSpan(header.Length)]);
            if (IsTaken(file))
            {
                yield return file;
            }
            else
            {
                File.Delete(file);
            }
        }
    }

    private static bool IsTaken(string file)
    {
        try
        {
            return ModelFolderReader.Open(file).Format == ModelFormat.Gguf;
        }
        catch (ModelException)
        {
            return false;
        }
    }

    // How many were loaded. Behind a file that ended the process the next one goes on with those behind it.
    private int Load(string[] files, List<string> findings)
    {
        string list = Path.Combine(_folder, "list");
        string journal = Path.Combine(_folder, "journal");
        int done = 0;
        int loaded = 0;
        while (done < files.Length)
        {
            File.WriteAllLines(list, files[done..]);
            File.Delete(journal);
            string end = Start(list);
            string[] lines = File.Exists(journal) ? File.ReadAllLines(journal) : [];
            loaded += lines.Count(line => line == "loaded");
            done += lines.Length;
            if (done < files.Length)
            {
                string kept = Path.Combine(Fixtures.Root, "artifacts", "fuzz", $"survivor-{Path.GetFileName(files[done])}");
                Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
                File.Copy(files[done], kept, overwrite: true);
                findings.Add($"{end} [{kept}]");
                done++;
            }
        }

        return loaded;
    }

    private static string Start(string list)
    {
        string own = Environment.ProcessPath!;
        string[] host = Path.GetFileNameWithoutExtension(own) == "dotnet" ? [typeof(GgufSurvivorTests).Assembly.Location] : [];
        ProcessStartInfo start = new(own, [.. host, "-class", typeof(GgufSurvivorTests).FullName!])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            Environment = { [Files] = list },
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            return "does not end";
        }

        string[] said = [.. (error.Result + output.Result).Split('\n').Where(line => line.Trim().Length > 0)];
        return $"exit code {process.ExitCode}: {said.FirstOrDefault()?.Trim()}";
    }

    private static void LoadEach(string list)
    {
        string journal = Path.Combine(Path.GetDirectoryName(list)!, "journal");
        foreach (string file in File.ReadLines(list))
        {
            string what = "loaded";
            try
            {
                using IEngine engine = EngineCatalog.Get("llama.cpp").Load(ModelFolderReader.Open(file), new EngineOptions { Threads = 1 });
                TimedGeneration.Run(engine, [1, 2, 3], maxLength: 6);
            }
            catch (Exception e) when (e is EngineException or ModelException)
            {
                what = "refused";
            }

            File.AppendAllText(journal, what + "\n");
        }
    }

    private static long? Number(string variable) =>
        long.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;
}
