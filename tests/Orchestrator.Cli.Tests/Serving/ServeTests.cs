using System.Net;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Serving;

/// <summary>The processes themselves: who outlives whom, and who finds whom again.</summary>
public sealed class ServeTests(ServerFixture server)
{
    [Fact]
    public async Task A_serve_that_cannot_start_says_why_and_leaves_no_proxy_behind()
    {
        await using var serve = new ServeProcess();

        // The proxy's user may not make the system's namespace, nor read it.
        var refused = await Command.RunAsync(
            ServerFixture.OrcPath, serve.Arguments("--kubeconfig", server.ProxyKubeconfig), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        Assert.Contains("error: the API server refused: namespaces", refused.Errors, StringComparison.Ordinal);
        Assert.False(serve.Proxy.IsLocked());
    }

    [Fact]
    public async Task The_proxy_outlives_a_killed_serve_and_is_found_again()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync();
        var proxy = await serve.SeeProxy(_ => true);

        await serve.KillAsync();

        Assert.True(proxy.IsAlive());
        Assert.Equal(HttpStatusCode.NotFound, await serve.AskProxyAsync());
        await serve.StartAsync();
        Assert.Equal(proxy, await serve.SeeProxy(_ => true));
        Assert.Equal(HttpStatusCode.NotFound, await serve.AskProxyAsync());
    }

    [Fact]
    public async Task The_proxy_has_a_session_of_its_own()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync();
        var proxy = await serve.SeeProxy(_ => true);

        // Field 6 of /proc/PID/stat: the leader of the session. Ctrl-C goes to the terminal's foreground group only.
        var stat = await File.ReadAllTextAsync($"/proc/{proxy.Pid}/stat", TestContext.Current.CancellationToken);
        Assert.Equal($"{proxy.Pid}", stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_proxy_that_dies_is_started_again_whether_child_or_found(bool found)
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync();
        var first = await serve.SeeProxy(_ => true);
        if (found)
        {
            await serve.KillAsync();
            await serve.StartAsync();
        }

        Assert.Equal(0, Native.Kill(first.Pid, Native.Sigkill));

        var second = await serve.SeeProxy(process => process != first);
        Assert.True(second.IsAlive());
        Assert.Equal(HttpStatusCode.NotFound, await serve.AskProxyAsync());
    }

    [Fact]
    public async Task An_orderly_stop_stops_the_proxy_too_and_is_a_success()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync();
        var proxy = await serve.SeeProxy(_ => true);

        Assert.Equal(ExitCodes.Done, await serve.StopAsync());

        Assert.False(proxy.IsAlive());
    }

    [Fact]
    public async Task A_proxy_with_other_options_is_replaced_without_a_refused_connection()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync();
        var first = await serve.SeeProxy(_ => true);
        await serve.KillAsync();
        using var stop = new CancellationTokenSource();
        var visits = Task.Run(async () =>
        {
            var answered = 0;
            for (; !stop.IsCancellationRequested; answered++)
            {
                // Whatever it says: a refused connection would throw.
                await serve.AskProxyAsync();
            }

            return answered;
        }, TestContext.Current.CancellationToken);

        await serve.StartAsync("--proxy-drain-timeout", "7s");
        await serve.SeeProxy(process => process != first);
        await Eventually.True(() => !first.IsAlive());

        await stop.CancelAsync();
        Assert.True(await visits > 0);
    }

    [Fact]
    public async Task A_second_serve_on_the_folder_is_refused_and_the_first_goes_on()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync("--no-proxy");

        var second = await Command.RunAsync(ServerFixture.OrcPath, serve.Arguments("--no-proxy"), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.InUse, second.ExitCode);
        Assert.Contains(serve.DataFolder, second.Errors, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Done, await serve.StopAsync("-INT"));
    }

    [Fact]
    public async Task An_address_that_is_taken_is_told_with_the_option_that_changes_it()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync("--no-proxy");
        using var folder = new TemporaryFolder();

        var second = await Command.RunAsync(
            ServerFixture.OrcPath,
            ["serve", "--no-proxy", "--no-local-host", "--data-folder", folder["data"], "--port", "0", "--metrics-listen", $"127.0.0.1:{serve.MetricsUrl.Port}"],
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.InUse, second.ExitCode);
        Assert.Contains("--metrics-listen", second.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--address", "serve", "--address", "192.0.2.1", "--port", "0", "--metrics-listen", "none")]
    [InlineData("--metrics-listen", "serve", "--port", "0", "--metrics-listen", "192.0.2.1:9180")]
    [InlineData("--listen", "proxy", "--listen", "192.0.2.1:8080", "--admin-listen", "none")]
    [InlineData("--admin-listen", "proxy", "--listen", "127.0.0.1:0", "--admin-listen", "192.0.2.1:9181")]
    public async Task An_address_that_this_machine_does_not_have_is_told_with_its_option(string option, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        string[] more = arguments[0] == "serve" ? ["--no-proxy", "--no-local-host"] : ["--kubeconfig", server.ProxyKubeconfig];

        var refused = await Command.RunAsync(
            ServerFixture.OrcPath, [.. arguments, "--data-folder", folder["data"], .. more], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        Assert.Contains("192.0.2.1", refused.Errors, StringComparison.Ordinal);
        Assert.Contains(option, refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("should not happen", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_serve_that_cannot_keep_a_proxy_does_not_start()
    {
        await using var serve = new ServeProcess();
        await File.WriteAllTextAsync(serve.DataFolder, "no folder", TestContext.Current.CancellationToken);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);

        var refused = await Command.RunAsync(ServerFixture.OrcPath, serve.Arguments("--kubeconfig", server.Kubeconfig), cancellationToken: limit.Token);

        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        Assert.Contains(serve.DataFolder, refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_start_says_where_everything_is_and_what_to_type_next()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync("--no-proxy");

        var log = await Eventually.See(() => serve.Log, seen => seen.Contains("Next:", StringComparison.Ordinal));

        Assert.Contains($"export KUBECONFIG={serve.DataFolder}/admin.kubeconfig; orc hosts add", log, StringComparison.Ordinal);
        Assert.Contains($"{serve.MetricsUrl}metrics", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_proxy_on_the_folder_is_refused()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync();

        var second = await Command.RunAsync(
            ServerFixture.OrcPath, ["proxy", "--data-folder", serve.DataFolder, "--listen", "127.0.0.1:0", "--admin-listen", "none"],
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.InUse, second.ExitCode);
        Assert.Contains("--take-over", second.Errors, StringComparison.Ordinal);
    }
}
