using System.Text;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// One connection to an engine: the input and output of an ssh process. Whether it has come about shows with the first byte from
/// there: an end before that is a failure with its reason, an end after it is the end of the stream.
/// </summary>
internal sealed class SshStream : Stream
{
    /// <summary>Characters kept of what ssh says; the longest warning has about 1,000.</summary>
    private const int MaxWords = 8192;

    /// <summary>Between two looks for the control socket, of whose making nobody tells.</summary>
    private static readonly TimeSpan SocketPeriod = TimeSpan.FromMilliseconds(20);

    /// <summary>Its output has ended, so that it is about to end; a machine may be busy.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    private readonly EngineEndpoint _endpoint;
    private readonly SshIdentity? _identity;
    private readonly SshProcesses.Entry _process;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly StringBuilder _words = new();
    private readonly Task _wordsRead;
    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ISshChannel _channel;
    private readonly TimeProvider _time;

    public SshStream(EngineEndpoint endpoint, SshIdentity? identity, SshProcesses.Entry process, ISshChannel channel, TimeProvider time)
    {
        _channel = channel;
        _time = time;
        _endpoint = endpoint;
        _identity = identity;
        _process = process;
        _input = process.Process.StandardInput.BaseStream;
        _output = process.Process.StandardOutput.BaseStream;
        _wordsRead = ReadWordsAsync(process.Process.StandardError);
    }

    /// <summary>Completes when it is given up.</summary>
    public Task Closed => _closed.Task;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Waits until it is logged in, which its control socket shows or the first byte, or has ended before.</summary>
    public async Task<SshLoginEnd> LogInAsync(string? controlPath)
    {
        while (!_heard.Task.IsCompleted && !(controlPath is not null && File.Exists(controlPath)))
        {
            if (_process.Exited.IsCompleted)
            {
                var (exitCode, words) = await EndAsync(CancellationToken.None);
                var isRefused = SshErrors.IsRefusal(words) && exitCode > SshErrors.NoSuchCommand;
                return new SshLoginEnd(SshErrors.Explain(_endpoint, _identity, exitCode, words), isRefused, WasIn: exitCode <= SshErrors.NoSuchCommand);
            }

            await Task.WhenAny(_process.Exited, _heard.Task, Task.Delay(SocketPeriod, _time));
        }

        return new SshLoginEnd(null, IsRefused: false, WasIn: true);
    }

    /// <exception cref="EngineException">The connection has not come about; the sentence says why.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await _output.ReadAsync(buffer, cancellationToken);
        if (count > 0)
        {
            _heard.TrySetResult();
        }

        return count > 0 || buffer.IsEmpty || _heard.Task.IsCompleted ? count : throw await ReasonAsync(null, cancellationToken);
    }

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)" path="/exception"/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await _input.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException broken) when (!_heard.Task.IsCompleted)
        {
            throw await ReasonAsync(broken, cancellationToken);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // A pipe keeps nothing back.
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && _closed.TrySetResult())
        {
            _channel.Close();

            // The far end of its input is docker's there, which ends by it, and so does ssh: not by a signal, since other connections
            // may go through this very process.
            _input.Dispose();
            _output.Dispose();
            _process.GiveUp(_wordsRead, _channel.Unused);
        }

        base.Dispose(disposing);
    }

    private async Task<EngineException> ReasonAsync(Exception? broken, CancellationToken cancellationToken)
    {
        var (exitCode, words) = await EndAsync(cancellationToken);
        var reason = SshErrors.Explain(_endpoint, _identity, exitCode, words);
        return broken is null ? reason : new EngineException(reason.Failure, reason.Message, broken);
    }

    private async Task<(int? ExitCode, string Words)> EndAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(Task.WhenAll(_process.Exited, _wordsRead), Task.Delay(EndTimeout, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        lock (_words)
        {
            return (_process.Exited.IsCompletedSuccessfully ? _process.Exited.Result : null, _words.ToString());
        }
    }

    // To its end, or ssh would wait for a reader some day.
    private async Task ReadWordsAsync(StreamReader errors)
    {
        var buffer = new char[1024];
        var isChannel = true;
        while (await errors.ReadAsync(buffer) is > 0 and var count)
        {
            lock (_words)
            {
                _words.Append(buffer, 0, Math.Min(count, MaxWords - _words.Length));
                if (!isChannel || !SshErrors.IsNoChannel(_words.ToString()))
                {
                    continue;
                }
            }

            isChannel = false;
            _channel.Refuse();
        }
    }
}
