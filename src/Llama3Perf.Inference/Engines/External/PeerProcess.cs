using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>What a peer answered.</summary>
/// <param name="Result">The answer.</param>
/// <param name="ElapsedMs">From just before the request was written until the answer was read, by our clock.</param>
internal sealed record PeerReply<T>(T Result, double ElapsedMs);

/// <summary>
/// A program that speaks the peer protocol: JSON lines, one request at a time. It is trusted with nothing: whatever it says or leaves
/// out, a call ends within its time-out with an answer or an <see cref="EngineException"/>, and the program is dead after anything but
/// an answer. Not for several threads.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(250);

    private readonly string _mark = Guid.NewGuid().ToString("N");
    private readonly string _name;
    private readonly PeerLimits _limits;
    private readonly Process _process;
    private readonly PeerOutput _output;
    private readonly PeerErrors _errors;
    private string? _ended;
    private int _lastId;
    private bool _isDisposed;

    /// <summary>Starts the program and waits for its greeting.</summary>
    /// <exception cref="EngineException">It does not start, or is no peer of this version.</exception>
    public PeerProcess(PeerOptions options)
    {
        _name = $"external:{ProgramText.OneLine(options.Backend)}";
        _limits = options.Limits;
        _process = PipedProgram.Start(
            options.Program,
            options.Arguments,
            [.. options.Environment, new(LivePeers.MarkVariable, _mark)],
            options.Directory,
            _name
        );
        LivePeers.Add(_mark, _process);
        _output = new PeerOutput(_process.StandardOutput.BaseStream, _limits.LineBytes);
        _errors = new PeerErrors(_process.StandardError.BaseStream);
        Program = Greet();
    }

    /// <summary>Name and version by which the program greeted.</summary>
    public string Program { get; }

    /// <summary>Id of the process, while it or its handle lives.</summary>
    public int Id => _process.Id;

    /// <summary>False when it has ended, or was killed for what it did.</summary>
    public bool Serves => _ended is null;

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="EngineException">The peer answered with an error and serves on; or it said something else, nothing, or died, and is
    /// gone.</exception>
    public PeerReply<TResult> Call<TParams, TResult>(
        string method,
        TParams parameters,
        JsonTypeInfo<PeerRequest<TParams>> request,
        JsonTypeInfo<TResult> result,
        TimeSpan patience
    )
    {
        if (_ended is not null)
        {
            throw new EngineException($"{_name} does not run any more: {_ended}");
        }

        if (_output.Next(TimeSpan.Zero) is { End: PeerLineEnd.Whole } unasked)
        {
            throw Abort(
                $"printed {ProgramText.Quote(unasked.Bytes)} that nobody had asked for; only answers belong on its standard output"
            );
        }

        int id = ++_lastId;
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(new PeerRequest<TParams>(id, method, parameters), request), (byte)'\n'];
        long start = Stopwatch.GetTimestamp();
        Write(line, method, patience);
        PeerLine answer = Next($"answer '{method}'", patience - Stopwatch.GetElapsedTime(start), patience);
        return new PeerReply<TResult>(
            Result(answer, id, method, result),
            Stopwatch.GetElapsedTime(start, answer.Timestamp).TotalMilliseconds
        );
    }

    /// <summary>The failure of a peer whose answer cannot be right. The peer is killed.</summary>
    /// <param name="what">What it did, to follow its name.</param>
    /// <param name="inner">What our side saw.</param>
    public EngineException Abort(string what, Exception? inner = null)
    {
        _ended ??= what;
        LivePeers.Kill(_mark, _process);
        _errors.WaitForEnd(TimeSpan.FromMilliseconds(500));
        string words = _errors.LastWords();
        return new EngineException($"{_name} {what}{(words.Length > 0 ? $"; its last words: {words}" : "")}", inner);
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        bool isPolite = _ended is null;
        _ended ??= "it was closed";
        try
        {
            _process.StandardInput.Close();
            if (isPolite)
            {
                _process.WaitForExit(_limits.Exit);
            }
        }
        catch (IOException)
        {
            // It closed its end first.
        }

        LivePeers.Kill(_mark, _process);
        _output.Dispose();
        _errors.WaitForEnd(TimeSpan.FromMilliseconds(500));
        _process.Dispose();
    }

    private string Greet()
    {
        try
        {
            PeerLine line = Next("greet", _limits.Greeting, _limits.Greeting);
            PeerGreeting greeting = Parse(line.Bytes, PeerJson.Default.PeerGreeting, "instead of a greeting");
            if (greeting.Protocol != PeerGreeting.Name)
            {
                throw Abort($"speaks '{ProgramText.OneLine(greeting.Protocol)}', not {PeerGreeting.Name}");
            }

            if (greeting.Version != PeerGreeting.SpokenVersion)
            {
                throw Abort(
                    $"({ProgramText.OneLine(greeting.Program)}) speaks version {greeting.Version} of the protocol, this suite version "
                        + $"{PeerGreeting.SpokenVersion}; take the program that came with the suite"
                );
            }

            return ProgramText.OneLine(greeting.Program);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    // A pipe that is full blocks its writer for as long as nobody reads, so another thread writes.
    private void Write(byte[] line, string method, TimeSpan patience)
    {
        Stream input = _process.StandardInput.BaseStream;
        Task write = Task.Run(() =>
        {
            input.Write(line);
            input.Flush();
        });
        try
        {
            if (!write.Wait(patience))
            {
                throw Abort($"did not read the request '{method}' within {Text(patience)}");
            }
        }
        catch (AggregateException e) when (e.InnerException is IOException or ObjectDisposedException)
        {
            throw Abort($"takes no request '{method}': {HowItEnded()}", e);
        }
    }

    private PeerLine Next(string what, TimeSpan left, TimeSpan patience)
    {
        PeerLine? line = Wait(left);
        return line?.End switch
        {
            null when !_process.HasExited => throw Abort($"did not {what} within {Text(patience)}"),
            null => throw Abort($"did not {what}: {HowItEnded()}"),
            PeerLineEnd.Whole => line,
            PeerLineEnd.TooLong => throw Abort(
                $"did not {what} but printed a line of more than {_limits.LineBytes} bytes: {ProgramText.Quote(line.Bytes)}"
            ),
            _ => throw Abort(
                $"did not {what}: {HowItEnded()}{(line.Bytes.Length > 0 ? $" in the middle of {ProgramText.Quote(line.Bytes)}" : "")}"
            ),
        };
    }

    // Something that a dead peer has started may hold its output open for ever, so its end is looked for too. What it said last is read
    // first.
    private PeerLine? Wait(TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan left = patience;
        while (left > TimeSpan.Zero)
        {
            bool hasExited = _process.HasExited;
            if (_output.Next(left < s_glance ? left : s_glance) is { } line)
            {
                return line;
            }

            if (hasExited)
            {
                break;
            }

            left = patience - Stopwatch.GetElapsedTime(start);
        }

        return _output.Next(TimeSpan.Zero);
    }

    private TResult Result<TResult>(PeerLine line, int id, string method, JsonTypeInfo<TResult> type)
    {
        PeerAnswer answer = Parse(line.Bytes, PeerJson.Default.PeerAnswer, $"in answer to '{method}'");
        if (answer.Id != id)
        {
            throw Abort($"answered '{method}' under the id {answer.Id?.ToString() ?? "null"} instead of {id}");
        }

        if (answer.Error is { } error)
        {
            throw new EngineException($"{_name}: {ProgramText.OneLine(error.Message)} ({ProgramText.OneLine(error.Code)})");
        }

        if (answer.Result is not { } result)
        {
            throw Abort($"answered '{method}' with neither result nor error");
        }

        return Understand(() => result.Deserialize(type), line.Bytes, $"in answer to '{method}'");
    }

    private T Parse<T>(byte[] line, JsonTypeInfo<T> type, string where) =>
        Understand(() => JsonSerializer.Deserialize(line, type), line, where);

    private T Understand<T>(Func<T?> parse, byte[] line, string where)
    {
        try
        {
            return parse() ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NotSupportedException)
        {
            throw Abort(NotTheProtocol(line, where, e), e);
        }
    }

    /// <summary>What is said of a line that cannot be understood: the line and the place of the fault, without the reader's own sentence,
    /// which may quote line ends.</summary>
    internal static string NotTheProtocol(byte[] line, string where, Exception fault)
    {
        string place = fault is JsonException { Path: { Length: > 1 } path } ? $" (at {ProgramText.OneLine(path)})" : "";
        return $"printed {ProgramText.Quote(line)} {where}{place}; that is not the peer protocol";
    }

    private string HowItEnded()
    {
        // The end of its output comes a moment before its own.
        bool hasEnded = _process.WaitForExit(TimeSpan.FromSeconds(1));
        return hasEnded ? $"it ended with {ProcessEnd.Describe(_process.ExitCode)}" : "it closed its standard output";
    }

    private static string Text(TimeSpan patience) => FormattableString.Invariant($"{patience.TotalSeconds:0.###} s");
}
