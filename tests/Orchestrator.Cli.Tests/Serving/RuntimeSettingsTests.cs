using System.Diagnostics;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Serving;

public sealed class RuntimeSettingsTests
{
    [Fact]
    public async Task A_proxy_that_anyone_starts_has_the_settings_of_a_server_but_where_somebody_chose_others()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["kubeconfig"], """
            clusters: [{name: away, cluster: {server: "https://127.0.0.1:1"}}]
            contexts: [{name: away, context: {cluster: away, user: ""}}]
            current-context: away
            """, TestContext.Current.CancellationToken);
        string[] arguments = ["proxy", "--kubeconfig", folder["kubeconfig"], "--data-folder", folder["data"], "--listen", "127.0.0.1:0", "--admin-listen", "none"];
        var start = new ProcessStartInfo(ServerFixture.OrcPath, arguments) { RedirectStandardError = true };
        start.Environment["DOTNET_TieredPGO"] = "0";

        using var proxy = Process.Start(start)!;
        try
        {
            var environment = await Eventually.See(
                () => Words(proxy.Id, "environ"), seen => seen.Contains("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1"), TimeSpan.FromSeconds(30));

            Assert.Contains("DOTNET_TC_CallCountThreshold=3E8", environment);
            Assert.Contains("DOTNET_TieredPGO=0", environment);
            Assert.Contains($"DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT={2 * Environment.ProcessorCount}", environment);
            await Eventually.See(() => SocketThreads(proxy.Id), seen => seen == 2 * Environment.ProcessorCount);
            Assert.Equal([ServerFixture.OrcPath, .. arguments], Words(proxy.Id, "cmdline"));
        }
        finally
        {
            proxy.Kill();
            await proxy.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Serve_has_its_own_and_its_proxy_does_not_inherit_them()
    {
        await using var serve = new ServeProcess();
        await serve.StartAsync();

        Assert.Contains("DOTNET_GCgen0size=4000000", Words(serve.Id, "environ"));
        Assert.Equal([ServerFixture.OrcPath, .. serve.Arguments()], Words(serve.Id, "cmdline"));
        var proxy = Words((await serve.SeeProxy(_ => true)).Pid, "environ");
        Assert.Contains("DOTNET_TC_CallCountThreshold=3E8", proxy);
        Assert.DoesNotContain(proxy, one => one.StartsWith("DOTNET_GCgen0size", StringComparison.Ordinal));
    }

    private static int SocketThreads(int process) =>
        Directory.GetDirectories($"/proc/{process}/task").Count(thread => File.ReadAllText(Path.Combine(thread, "comm")).StartsWith(".NET Sockets", StringComparison.Ordinal));

    private static string[] Words(int process, string file) => File.ReadAllText($"/proc/{process}/{file}").TrimEnd('\0').Split('\0');
}
