using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>How a line of a peer ended.</summary>
internal enum PeerLineEnd
{
    /// <summary>With a line feed, as it should.</summary>
    Whole,

    /// <summary>The output ended in the middle of it, or it is empty and the output is at its end.</summary>
    Closed,

    /// <summary>It was longer than allowed; the rest is not read.</summary>
    TooLong,
}

/// <summary>A line of a peer.</summary>
/// <param name="Bytes">Without its line feed.</param>
/// <param name="Timestamp">Of our clock, when its end was read.</param>
/// <param name="End">How it ended.</param>
internal sealed record PeerLine(byte[] Bytes, long Timestamp, PeerLineEnd End);

/// <summary>Reads a peer's standard output line by line on a thread of its own, because a read from a pipe cannot be given a time-out
/// everywhere.</summary>
internal sealed class PeerOutput : IDisposable
{
    // A peer that talks without end is held up by its pipe, not kept in memory.
    private readonly BlockingCollection<PeerLine> _lines = new(boundedCapacity: 2);
    private readonly CancellationTokenSource _closing = new();
    private readonly Stream _stream;
    private readonly int _longest;
    private readonly Thread _thread;

    public PeerOutput(Stream stream, int longest)
    {
        _stream = stream;
        _longest = longest;
        _thread = new Thread(Read) { IsBackground = true, Name = "peer output" };
        _thread.Start();
    }

    /// <summary>The next line, or null when none came in time.</summary>
    public PeerLine? Next(TimeSpan patience) =>
        _lines.TryTake(out PeerLine? line, patience > TimeSpan.Zero ? patience : TimeSpan.Zero) ? line : null;

    public void Dispose()
    {
        _closing.Cancel();
        // Its process is dead by now; a thread that still reads belongs to a pipe that someone else holds open, and is left to the
        // background.
        if (_thread.Join(TimeSpan.FromSeconds(1)))
        {
            _lines.Dispose();
            _closing.Dispose();
        }
    }

    private void Read()
    {
        byte[] buffer = new byte[64 << 10];
        ArrayBufferWriter<byte> line = new();
        try
        {
            while (_stream.Read(buffer) is > 0 and int count)
            {
                if (!Split(buffer.AsSpan(0, count), line))
                {
                    return;
                }
            }

            Add(line, PeerLineEnd.Closed);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            TryAddClosed();
        }
        catch (OperationCanceledException)
        {
            // Nobody listens any more.
        }
    }

    private bool Split(ReadOnlySpan<byte> read, ArrayBufferWriter<byte> line)
    {
        while (true)
        {
            int end = read.IndexOf((byte)'\n');
            ReadOnlySpan<byte> part = end < 0 ? read : read[..end];
            if (line.WrittenCount + part.Length > _longest)
            {
                Add(line, PeerLineEnd.TooLong);
                return false;
            }

            line.Write(part);
            if (end < 0)
            {
                return true;
            }

            Add(line, PeerLineEnd.Whole);
            read = read[(end + 1)..];
        }
    }

    private void Add(ArrayBufferWriter<byte> line, PeerLineEnd end)
    {
        _lines.Add(new PeerLine(line.WrittenSpan.ToArray(), Stopwatch.GetTimestamp(), end), _closing.Token);
        line.ResetWrittenCount();
    }

    private void TryAddClosed() => _lines.TryAdd(new PeerLine([], Stopwatch.GetTimestamp(), PeerLineEnd.Closed));
}
