using System.Text;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>Empties a peer's standard error, so that it never waits for us, and keeps the end of what it wrote.</summary>
internal sealed class PeerErrors
{
    private readonly byte[] _ring = new byte[64 << 10];
    private readonly Lock _lock = new();
    private readonly Stream _stream;
    private readonly Thread _thread;
    private long _written;

    public PeerErrors(Stream stream)
    {
        _stream = stream;
        _thread = new Thread(Read) { IsBackground = true, Name = "peer errors" };
        _thread.Start();
    }

    /// <summary>Waits until all is read; false when somebody still holds the pipe open.</summary>
    public bool WaitForEnd(TimeSpan patience) => _thread.Join(patience);

    /// <summary>The last lines that are not empty, two at most, in one; empty when it wrote nothing.</summary>
    public string LastWords()
    {
        string[] lines = Text().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join(" | ", lines.TakeLast(2).Select(ProgramText.OneLine));
    }

    /// <summary>What is kept: the last 64 KiB.</summary>
    internal string Text()
    {
        lock (_lock)
        {
            int kept = (int)Math.Min(_written, _ring.Length);
            int start = (int)((_written - kept) % _ring.Length);
            byte[] bytes =
            [
                .. _ring.AsSpan(start, Math.Min(kept, _ring.Length - start)),
                .. _ring.AsSpan(0, Math.Max(0, start + kept - _ring.Length)),
            ];
            return Encoding.UTF8.GetString(bytes);
        }
    }

    private void Read()
    {
        byte[] buffer = new byte[16 << 10];
        try
        {
            while (_stream.Read(buffer) is > 0 and int count)
            {
                Keep(buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The end, as far as it can be read.
        }
    }

    private void Keep(ReadOnlySpan<byte> read)
    {
        lock (_lock)
        {
            int at = (int)(_written % _ring.Length);
            int first = Math.Min(read.Length, _ring.Length - at);
            read[..first].CopyTo(_ring.AsSpan(at));
            read[first..].CopyTo(_ring);
            _written += read.Length;
        }
    }
}
