using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Cli.Serving;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Serving;

/// <summary>A real <c>orc proxy</c> on sockets that systemd's own tool listens on and hands over.</summary>
public sealed class SocketActivationTests(ServerFixture server) : IDisposable
{
    private const string Request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort.Next();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_proxy_that_ends_or_dies_and_is_started_again_refuses_no_connection()
    {
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(_folder["notify"]));
        var admin = FreePort.Next();

        // Whoever keeps the sockets starts the proxy again whenever it has ended, as systemd does. The variable names the process that is meant.
        const string keeper = "while :; do (LISTEN_PID=$BASHPID exec \"$0\" \"$@\") & wait $!; done";
        using var process = await StartAsync(
            ["-l", $"127.0.0.1:{_port}", "-l", $"127.0.0.1:{admin}", "--fdname=http:admin", "-E", $"NOTIFY_SOCKET={_folder["notify"]}"],
            ["/bin/bash", "-c", keeper, .. Proxy()]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var (answered, refused) = (0, 0);
        try
        {
            await SeeListeningAsync();
            var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(() => ConnectAgainAndAgainAsync(stop.Token), Cancellation)).ToList();
            var first = await SeeProxyAsync(0);
            Assert.Equal("READY=1", await ReceiveAsync(manager));
            using var http = new HttpClient();
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"http://127.0.0.1:{admin}/healthz"), Cancellation)).StatusCode);

            Native.Kill(first, Native.Sigterm);
            Assert.Equal("STOPPING=1", await ReceiveAsync(manager));
            var second = await SeeProxyAsync(first);
            for (var i = 0; i < 20; i++)
            {
                // Ended, not reset: nothing of how the first one let go of the socket has stayed with it.
                Assert.True(await AskAsync(Cancellation));
            }

            Native.Kill(second, Native.Sigkill);
            await SeeProxyAsync(second);

            await stop.CancelAsync();
            await Task.WhenAll(clients);
            Assert.Equal(0, refused);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        async Task ConnectAgainAndAgainAsync(CancellationToken cancellation)
        {
            while (!cancellation.IsCancellationRequested)
            {
                try
                {
                    _ = await AskAsync(cancellation) ? Interlocked.Increment(ref answered) : 0;
                }
                catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    Interlocked.Increment(ref refused);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
                catch (IOException)
                {
                    // It was killed in the middle of it.
                }
            }
        }

        // One that is another than before, and answers.
        async Task<int> SeeProxyAsync(int before)
        {
            var pid = await Eventually.See(
                () => new ProxyFolder(_folder["data"]).Read()?.Process is { } proxy && proxy.IsAlive() ? proxy.Pid : before,
                pid => pid != before,
                TimeSpan.FromSeconds(90));
            var answers = Volatile.Read(ref answered);
            await Eventually.True(() => Volatile.Read(ref answered) > answers, TimeSpan.FromSeconds(90));
            return pid;
        }
    }

    [Fact]
    public async Task The_units_of_the_example_hand_over_what_the_proxy_takes()
    {
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(_folder["notify"]));
        var names = Directory.EnumerateFiles(Repository.At("examples/systemd"), "*.socket").Select(unit => Setting(unit, "FileDescriptorName")).ToList();
        string[] ports = [$"{_port}", .. names.Skip(1).Select(_ => $"{FreePort.Next()}")];
        var words = Setting(Repository.At("examples/systemd/orc-proxy.service"), "ExecStart")
            .Replace("/usr/local/bin/orc", ServerFixture.OrcPath, StringComparison.Ordinal)
            .Replace("/var/lib/orc-proxy", _folder["data"], StringComparison.Ordinal)
            .Split(' ');
        using var process = await StartAsync(
            [.. ports.SelectMany(port => new[] { "-l", port }), $"--fdname={string.Join(':', names)}", "-E", $"NOTIFY_SOCKET={_folder["notify"]}"],
            [.. words, "--kubeconfig", server.ProxyKubeconfig, "--admin-listen", "none"]);
        try
        {
            await SeeListeningAsync();
            Assert.Equal("READY=1", await ReceiveAsync(manager));
            Assert.Equal(["http", "https"], names.Order());
            Assert.True(await AskAsync(Cancellation));
        }
        finally
        {
            process.Kill();
        }

        static string Setting(string unit, string name) =>
            File.ReadLines(unit).Single(line => line.StartsWith(name + '=', StringComparison.Ordinal))[(name.Length + 1)..];
    }

    [Fact]
    public async Task An_address_beside_a_socket_that_is_handed_over_is_an_error()
    {
        using var process = await StartAsync(["-l", $"127.0.0.1:{_port}"], [.. Proxy(), "--listen", "127.0.0.1:0"]);
        await SeeListeningAsync();

        Assert.Contains(
            $"--listen goes not with a socket that is handed over for the same, which listens on 127.0.0.1:{_port}",
            await process.StandardError.ReadToEndAsync(Cancellation),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", "http", "/dev/null", "LISTEN_FDS: \"0\" is no number of sockets from 1 to 3")]
    [InlineData("2", "http", "/dev/null", "LISTEN_FDNAMES: there are 1 names for 2 sockets")]
    [InlineData("1", "orc-proxy.socket", "/dev/null", "LISTEN_FDNAMES: no socket is called \"orc-proxy.socket\" here, but http, https and admin")]
    [InlineData("1", "https", "/dev/null", "LISTEN_FDS: descriptor 3, for https, is no TCP socket")]
    [InlineData("1", "http", "/dev/tcp/127.0.0.1/{0}", "LISTEN_FDS: descriptor 3, for http, does not listen (Accept= has to be no)")]
    public async Task What_is_no_socket_of_its_name_is_told(string count, string names, string file, string problem)
    {
        using var listener = new TcpListener(IPAddress.Loopback, _port);
        listener.Start();
        var opened = string.Format(System.Globalization.CultureInfo.InvariantCulture, file, _port);
        var started = await Command.RunAsync(
            "/bin/bash",
            ["-c", $"exec 3<>{opened}; LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES={names} exec \"$0\" \"$@\"", .. Proxy()],
            cancellationToken: Cancellation);

        Assert.Contains(problem, started.Errors, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Usage, started.ExitCode);
    }

    public void Dispose() => _folder.Dispose();

    private string[] Proxy() => [ServerFixture.OrcPath, "proxy", "--kubeconfig", server.ProxyKubeconfig, "--data-folder", _folder["data"]];

    /// <summary>It starts the program at the first connection.</summary>
    private static async Task<Process> StartAsync(string[] arguments, string[] program)
    {
        var start = new ProcessStartInfo(await Dependency.PathOf("systemd-socket-activate"), [.. arguments, "--", .. program]) { RedirectStandardError = true };
        return Process.Start(start)!;
    }

    private Task SeeListeningAsync() => Eventually.True(async () =>
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port, Cancellation);
        return true;
    });

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Cancellation));
    }

    /// <returns>Whether an answer came; there are no routes, so it is 404 or 503.</returns>
    private async Task<bool> AskAsync(CancellationToken cancellation)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port, cancellation);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Request), cancellation);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return (await reader.ReadToEndAsync(cancellation)).StartsWith("HTTP/1.1 ", StringComparison.Ordinal);
    }
}
