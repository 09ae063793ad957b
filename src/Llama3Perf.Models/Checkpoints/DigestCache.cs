using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>What tells a file that was hashed from one that has changed since.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Length">Bytes; of a link, its target's.</param>
/// <param name="Written">Time of the last write; of a link, its target's.</param>
internal sealed record WeightFileState(string Path, long Length, DateTime Written)
{
    public static WeightFileState Read(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        return new WeightFileState(path, RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));
    }
}

/// <summary>Digests of large files, one small text file each. It only saves time: whatever is wrong with it, it is as if it were
/// empty.</summary>
/// <param name="folder">Created when the first digest is kept; null keeps none.</param>
internal sealed class DigestCache(string? folder)
{
    private const string Version = "llama3perf-digest-1";
    private const int DigestLength = 64;

    // Clocks of file systems are coarse: a file this young could change again without showing it.
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(2);

    public string? Find(WeightFileState state)
    {
        try
        {
            if (folder is null || !File.Exists(FileOf(folder, state)))
            {
                return null;
            }

            string text = File.ReadAllText(FileOf(folder, state));
            string key = Key(state);
            if (!text.StartsWith(key, StringComparison.Ordinal) || text.Length < key.Length + DigestLength)
            {
                return null;
            }

            string digest = text.Substring(key.Length, DigestLength);
            return text == Text(state, digest) ? digest : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Add(WeightFileState state, string digest)
    {
        if (folder is null || DateTime.UtcNow - state.Written < s_settled)
        {
            return;
        }

        string path = FileOf(folder, state);
        string beside = $"{path}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(beside, Text(state, digest));
            File.Move(beside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(beside);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A cache in a place without permission or space is no cache.
        }
    }

    private static string FileOf(string folder, WeightFileState state) => Path.Combine(folder, $"{Sha256(state.Path)[..32]}.digest");

    private static string Key(WeightFileState state) => $"{Version}\n{state.Path}\n{state.Length}\n{state.Written.Ticks}\n";

    // The last line tells a damaged file from a whole one.
    private static string Text(WeightFileState state, string digest)
    {
        string text = $"{Key(state)}{digest}\n";
        return $"{text}{Sha256(text)}\n";
    }

    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
