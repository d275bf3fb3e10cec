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

    /// <summary>Its output has ended, so that it is about to end; a machine may be busy.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    private readonly EngineEndpoint _endpoint;
    private readonly SshIdentity? _identity;
    private readonly SshProcesses.Entry _process;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly StringBuilder _words = new();
    private readonly Task _wordsRead;
    private volatile bool _heard;
    private int _disposed;

    public SshStream(EngineEndpoint endpoint, SshIdentity? identity, SshProcesses.Entry process)
    {
        _endpoint = endpoint;
        _identity = identity;
        _process = process;
        _input = process.Process.StandardInput.BaseStream;
        _output = process.Process.StandardOutput.BaseStream;
        _wordsRead = ReadWordsAsync(process.Process.StandardError);
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="EngineException">The connection has not come about; the sentence says why.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await _output.ReadAsync(buffer, cancellationToken);
        _heard |= count > 0;
        return count > 0 || buffer.IsEmpty || _heard ? count : throw await ReasonAsync(null, cancellationToken);
    }

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)" path="/exception"/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await _input.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException broken) when (!_heard)
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
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            // The far end of its input is docker's there, which ends by it, and so does ssh: not by a signal, since other connections
            // may go through this very process.
            _input.Dispose();
            _output.Dispose();
            _process.GiveUp(_wordsRead);
        }

        base.Dispose(disposing);
    }

    private async Task<EngineException> ReasonAsync(Exception? broken, CancellationToken cancellationToken)
    {
        var process = _process.Process;
        var ended = Task.WhenAll(process.WaitForExitAsync(cancellationToken), _wordsRead);
        await Task.WhenAny(ended, Task.Delay(EndTimeout, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        string words;
        lock (_words)
        {
            words = _words.ToString();
        }

        var reason = SshErrors.Explain(_endpoint, _identity, process.HasExited ? process.ExitCode : null, words);
        return broken is null ? reason : new EngineException(reason.Failure, reason.Message, broken);
    }

    // To its end, or ssh would wait for a reader some day.
    private async Task ReadWordsAsync(StreamReader errors)
    {
        var buffer = new char[1024];
        while (await errors.ReadAsync(buffer) is > 0 and var count)
        {
            lock (_words)
            {
                _words.Append(buffer, 0, Math.Min(count, MaxWords - _words.Length));
            }
        }
    }
}
