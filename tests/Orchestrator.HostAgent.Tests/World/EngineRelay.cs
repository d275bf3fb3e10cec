using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>
/// Stands before an engine's API on a port of loopback and passes on what both say: slowly, not at all, not any more, or by another clock.
/// What networks and machines do that cannot be done to the engine itself.
/// </summary>
internal sealed class EngineRelay : IAsyncDisposable
{
    private readonly string _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private readonly ConcurrentDictionary<Socket, byte> _forgotten = new();
    private readonly ConcurrentBag<Task> _work = [];
    private TcpListener _listener = new(IPAddress.Loopback, 0);
    private volatile bool _isMute;
    private long _passed;

    /// <param name="socket">The engine's.</param>
    public EngineRelay(string socket)
    {
        _socket = socket;
        Listen();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
    }

    public int Port { get; }

    public string Endpoint => $"tcp://127.0.0.1:{Port}";

    /// <summary>How long each piece of what is said takes on its way.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>What the engine's clock is made out to be; null: as it is.</summary>
    public JumpedClock? Clock { get; set; }

    /// <summary>Shown to connections from here on; null: no TLS.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Pieces passed on so far.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    /// <summary>
    /// The other side has forgotten the connections there are, as after a reset that nobody heard of: they stay open and nothing comes of
    /// them, now or later. New ones are taken and not answered until <see cref="Answer"/>.
    /// </summary>
    public void Forget()
    {
        _isMute = true;
        foreach (var connection in _open.Keys)
        {
            _forgotten.TryAdd(connection, 0);
        }
    }

    public void Answer() => _isMute = false;

    /// <summary>Connections break off, and new ones are refused until <see cref="Mend"/>.</summary>
    public void Break()
    {
        _listener.Stop();
        foreach (var connection in _open.Keys)
        {
            connection.Close(timeout: 0);
        }
    }

    public void Mend()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        Listen();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Break();
        await Task.WhenAll(_work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private void Listen()
    {
        _listener.Start();
        _work.Add(AcceptAsync(_listener));
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }

            _open.TryAdd(client, 0);
            if (_isMute)
            {
                _forgotten.TryAdd(client, 0);
            }

            _work.Add(RelayAsync(client));
        }
    }

    private async Task RelayAsync(Socket client)
    {
        try
        {
            using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await engine.ConnectAsync(new UnixDomainSocketEndPoint(_socket), _stop.Token);
            await using var there = new NetworkStream(engine);
            await using var here = await SecureAsync(new NetworkStream(client));
            await Task.WhenAny(PassAsync(client, here, there, isEngine: false), PassAsync(client, there, here, isEngine: true));
        }
        catch (Exception broken) when (broken is IOException or SocketException or ObjectDisposedException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException)
        {
            // By one side or the other, as connections do.
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task<Stream> SecureAsync(NetworkStream stream)
    {
        if (Certificate is not { } certificate)
        {
            return stream;
        }

        var secure = new SslStream(stream);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, _stop.Token);
        return secure;
    }

    private async Task PassAsync(Socket client, Stream from, Stream to, bool isEngine)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer, _stop.Token) is > 0 and var count)
        {
            await Pace.PassAsync(Delay, _stop.Token);
            if (_forgotten.ContainsKey(client))
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token);
            }

            if (isEngine)
            {
                Clock?.Rewrite(buffer.AsSpan(0, count));
            }

            await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token);
            Interlocked.Increment(ref _passed);
        }
    }
}
