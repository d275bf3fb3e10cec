using System.Text;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// The connections of one session with an engine, through ssh. The first logs in, the others are channels of it, as many as an ssh server
/// takes; what is beyond logs in anew and has channels of its own. A new session begins with a new login, so that nothing waits for a
/// connection that is dead (docs/design/host-agent.md, ssh).
/// </summary>
internal sealed class SshConnections(EngineEndpoint endpoint, SshIdentity? identity, string program, TimeProvider time) : IDisposable
{
    /// <summary>As found by PATH.</summary>
    public const string DefaultProgram = "ssh";

    /// <summary>
    /// As many as a session may have: each is a docker process on that machine. Beside events, 4 starts, 16 stops and the pulls
    /// that an engine by ssh makes at a time there are 6 left for what is short.
    /// </summary>
    public const int Most = 4 * ChannelsOfLogin;

    /// <summary>An ssh server takes ten by default (<c>MaxSessions</c>), and may not have noticed yet that one has ended.</summary>
    private const int ChannelsOfLogin = 8;

    /// <summary>Bytes of a unix socket's path (103 where it is shortest), less those that ssh appends while it makes it.</summary>
    private const int MaxControlPath = 103 - 17;

    private readonly Lock _gate = new();
    private readonly List<SshLogin> _logins = [];
    private int _channels = ChannelsOfLogin;
    private int _numbers;
    private SshFolder? _folder;
    private SshIdentityFiles? _files;
    private bool _disposed;

    /// <returns>A stream whose first read fails with an <see cref="EngineException"/> if there is no connection.</returns>
    /// <exception cref="EngineException">ssh cannot be started, or its login was refused not long ago.</exception>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (login, isFirst) = Join();
            try
            {
                if (isFirst)
                {
                    return await LogInAsync(login, cancellationToken);
                }

                var end = await login.Ended.WaitAsync(cancellationToken);
                if (end.Reason is { } reason)
                {
                    throw new EngineException(reason.Failure, reason.Message, reason);
                }

                if (end.WasIn)
                {
                    return Start(login, isFirst: false);
                }
            }
            catch
            {
                new Channel(this, login, isFirst).End();
                if (isFirst)
                {
                    login.End(SshLoginEnd.GivenUp);
                }

                throw;
            }

            // Whoever began it has given it up: the next of those that waited logs in.
            new Channel(this, login, isFirst).End();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _folder?.Dispose();
        }
    }

    private async Task<SshStream> LogInAsync(SshLogin login, CancellationToken cancellationToken)
    {
        var attempt = await SshLogins.Of(endpoint, identity).BeginAsync(time, cancellationToken);
        try
        {
            var stream = Start(login, isFirst: true);
            _ = WatchAsync(login, stream, attempt);
            return stream;
        }
        catch
        {
            attempt.Dispose();
            throw;
        }
    }

    /// <summary>Lets those in that wait for the login, and remembers how it ended.</summary>
    private static async Task WatchAsync(SshLogin login, SshStream stream, SshLogins.Attempt attempt)
    {
        var ending = stream.LogInAsync(login.ControlPath);

        // One that nobody waits for any more holds up no other.
        await Task.WhenAny(ending, stream.Closed);
        attempt.Dispose();
        var end = await ending;
        if (end.WasIn)
        {
            attempt.Succeeded();
        }
        else if (end.IsRefused)
        {
            attempt.Refused(end.Reason!);
        }
        else
        {
            attempt.Failed();
        }

        login.End(end);
    }

    private SshStream Start(SshLogin login, bool isFirst)
    {
        SshIdentityFiles? files;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            files = _files;
        }

        var process = SshProcesses.Of(endpoint).Start(program, SshArguments.For(endpoint, login.ControlPath, files), time);
        var channel = new Channel(this, login, isFirst);
        _ = EndAsync(process, channel);
        return new SshStream(endpoint, identity, process, channel, time);
    }

    private static async Task EndAsync(SshProcesses.Entry process, Channel channel)
    {
        await process.Exited;
        channel.End();
    }

    private (SshLogin Login, bool IsFirst) Join()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_folder is not { IsWhole: true })
            {
                // What logged in by the folder from before goes on; nothing joins it any more.
                _logins.Clear();
                _folder?.Dispose();
                _folder = new SshFolder(time);
                _files = identity?.WriteTo(_folder);
            }

            var login = _logins.Find(one => one.ControlPath is not null && one.Channels < _channels);
            if (login is not null)
            {
                login.Channels++;
                login.InUse++;
                return (login, false);
            }

            var path = Path.Combine(_folder.Path, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"c{_numbers++}"));
            login = new SshLogin(Encoding.UTF8.GetByteCount(path) <= MaxControlPath ? path : null);
            _logins.Add(login);
            return (login, true);
        }
    }

    /// <summary>One connection's part in a login.</summary>
    private sealed class Channel(SshConnections owner, SshLogin login, bool isFirst) : ISshChannel
    {
        private bool _closed;
        private bool _ended;

        public Task Unused => isFirst ? login.Unused : Task.CompletedTask;

        public void Close()
        {
            lock (owner._gate)
            {
                Close_NeedsLock();
            }
        }

        public void Refuse()
        {
            lock (owner._gate)
            {
                End_NeedsLock();
                owner._channels = Math.Max(1, Math.Min(owner._channels, login.Channels));
            }
        }

        /// <summary>Its ssh has ended, or was not started.</summary>
        public void End()
        {
            lock (owner._gate)
            {
                End_NeedsLock();
            }
        }

        private void End_NeedsLock()
        {
            Close_NeedsLock();
            login.Channels -= _ended ? 0 : 1;
            _ended = true;
            if (isFirst)
            {
                // As master it stays until the last of its channels has ended, or it never got in.
                owner._logins.Remove(login);
            }
        }

        private void Close_NeedsLock()
        {
            login.InUse -= _closed ? 0 : 1;
            _closed = true;
            if (login.InUse == 0)
            {
                // It is ending: who joined it now would come too late.
                owner._logins.Remove(login);
                login.SetUnused();
            }
        }
    }
}

/// <summary>What becomes of one connection, for whoever counts them.</summary>
internal interface ISshChannel
{
    /// <summary>Completes when its ssh carries no other connection that is in use.</summary>
    Task Unused { get; }

    /// <summary>It is given up, and about to end.</summary>
    void Close();

    /// <summary>The server takes no more channels of the login that it was to be one of; its ssh makes a connection of its own instead.</summary>
    void Refuse();
}
