using System.Net.Sockets;

namespace Orchestrator.Proxy.Plain;

/// <summary>Why a request over a connection was ended from outside.</summary>
internal enum GivenUp
{
    Not,

    /// <summary>The client has gone, the host is silent, or its time is over: whoever ended it knows.</summary>
    ByCaller,

    /// <summary>Nothing went either way for too long.</summary>
    Idle,
}

/// <summary>A connection to a replica, for one request at a time.</summary>
internal sealed class ReplicaConnection(Socket socket) : IDisposable
{
    /// <summary>Most answers come whole in one read, and large ones by as much at a time as HAProxy takes them.</summary>
    private const int BufferSize = 16 * 1024;

    private byte[] _received = new byte[BufferSize];
    private readonly CancellationTokenSource _ended = new();
    private int _start;
    private int _end;
    private ValueTask<int>? _receiving;
    private int _givenUp;

    public HeadBuffer Head { get; } = new();

    public FieldTexts Texts { get; } = new();

    /// <summary>It has served a request before: should it break now, its server may have closed it before it saw this one.</summary>
    public bool HasServed { get; set; }

    /// <summary>The request may be sent to another replica as long as no answer has begun.</summary>
    public bool MayRepeat { get; set; }

    /// <summary>Something of the answer is on its way to the client.</summary>
    public bool HasAnswered { get; set; }

    /// <summary>Cancelled when it is given up: for what waits for the client instead.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Longest time without a byte either way.</summary>
    public TimeSpan IdleLimit { get; set; }

    /// <summary>Counted up by whatever goes either way.</summary>
    public int Activity { get; set; }

    /// <summary>What whoever looks for idle ones saw the last time, and since when it is so.</summary>
    public (int Activity, long Since) Seen { get; set; }

    /// <summary>Where its pool has it.</summary>
    public int Index { get; set; }

    /// <summary>Waits for a request.</summary>
    public bool IsKept { get; set; }

    public GivenUp GivenUp => (GivenUp)Volatile.Read(ref _givenUp);

    /// <summary>What was received and not yet used.</summary>
    public ReadOnlyMemory<byte> Unread => _received.AsMemory(_start, _end - _start);

    public void Use(int bytes) => _start += bytes;

    /// <summary>
    /// Begins to wait for an answer before the request is sent. That costs nothing, since there is a wait in any case, and shows whether the
    /// other side has closed meanwhile.
    /// </summary>
    /// <returns>False: it has, or says something unasked.</returns>
    public bool Begin()
    {
        HasAnswered = false;
        (_start, _end) = (0, 0);
        var receiving = ReceiveFromSocketAsync();
        if (receiving.IsCompleted)
        {
            return false;
        }

        _receiving = receiving;
        return true;
    }

    /// <summary>Receives something behind <see cref="Unread"/>; to be awaited before the next.</summary>
    /// <returns>How much; 0 at the end.</returns>
    public ValueTask<int> ReceiveAsync()
    {
        if (_receiving is { } begun)
        {
            _receiving = null;
            return begun;
        }

        if (_start == _end)
        {
            (_start, _end) = (0, 0);
        }
        else if (_end == _received.Length)
        {
            MakeRoom();
        }

        return ReceiveFromSocketAsync();
    }

    /// <summary>What a <see cref="ReceiveAsync"/> has returned is there now.</summary>
    public void Received(int bytes)
    {
        _end += bytes;
        Activity++;
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var sent = await socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None);
            bytes = bytes[sent..];
            Activity++;
        }
    }

    /// <summary>The request under way is to end: whatever waits for the replica fails. From any thread.</summary>
    public void GiveUp(GivenUp reason)
    {
        if (TryGiveUp(reason))
        {
            End();
        }
    }

    /// <summary>The first half of <see cref="GiveUp(GivenUp)"/>, which may be done under a lock.</summary>
    /// <returns>False: it was given up before.</returns>
    public bool TryGiveUp(GivenUp reason) => Interlocked.CompareExchange(ref _givenUp, (int)reason, (int)GivenUp.Not) == (int)GivenUp.Not;

    /// <summary>The second half.</summary>
    public void End()
    {
        socket.Dispose();
        _ended.Cancel();
    }

    public void Dispose() => socket.Dispose();

    private ValueTask<int> ReceiveFromSocketAsync() => socket.ReceiveAsync(_received.AsMemory(_end), SocketFlags.None);

    private void MakeRoom()
    {
        var unread = Unread;
        if (_start == 0)
        {
            _received = new byte[2 * _received.Length];
        }

        unread.Span.CopyTo(_received);
        (_start, _end) = (0, unread.Length);
    }
}
