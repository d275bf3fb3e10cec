using System.Diagnostics;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Tests.Commands;

public sealed class ProxyJoinTests(ServerFixture server) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Server => KubeconfigFile.Read(server.Kubeconfig).Clusters.First().ClusterEndpoint.Server;

    [Fact]
    public async Task A_proxy_that_joins_by_a_token_gets_its_routes_and_needs_it_once()
    {
        var token = (await OrcAsync(["join-token", "--data-folder", server.DataFolder, "--server", Server])).OrThrow().Output;
        var admin = FreePort.Next();
        string[] arguments = ["proxy", "--data-folder", _folder["proxy"], "--listen", "127.0.0.1:0", "--admin-listen", $"127.0.0.1:{admin}"];

        await RunAsync([.. arguments, "--join", "-"], token);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["proxy/proxy.kubeconfig"]));
        await RunAsync(arguments, "");

        async Task RunAsync(string[] line, string input)
        {
            var start = new ProcessStartInfo(ServerFixture.OrcPath, line) { RedirectStandardInput = true, RedirectStandardError = true };
            start.Environment["KUBECONFIG"] = "";
            using var proxy = Process.Start(start)!;
            try
            {
                await proxy.StandardInput.WriteAsync(input);
                proxy.StandardInput.Close();
                using var http = new HttpClient();
                await Eventually.True(() => IsReadyAsync(http), TimeSpan.FromSeconds(60));
            }
            finally
            {
                proxy.Kill();
                await proxy.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
        }

        // Nothing is on disk the first time: then ready means that the API server has let it in.
        async Task<bool> IsReadyAsync(HttpClient http)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{admin}/readyz"), TestContext.Current.CancellationToken);
                return answer.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Who_has_the_token_may_read_routes_and_change_nothing()
    {
        var token = (await OrcAsync(["join-token", "--data-folder", server.DataFolder, "--server", Server, "--valid-for", "48h"])).OrThrow().Output;
        await File.WriteAllTextAsync(_folder["kubeconfig"], JoinToken.Read(token), TestContext.Current.CancellationToken);

        (await Command.RunAsync(ServerFixture.OrcPath, ["get", "webapps", "--kubeconfig", _folder["kubeconfig"]])).OrThrow();
        var refused = await Command.RunAsync(ServerFixture.OrcPath, ["delete", "webapp", "web", "--kubeconfig", _folder["kubeconfig"]]);

        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        Assert.Contains("cannot delete resource \"webapps\"", refused.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--server: the API server tells https://127.0.0.1:*, which no other machine reaches: start it with `orc serve --address ADDRESS`, and name that address here", 2)]
    [InlineData("the API server has no certificate for 192.0.2.1: start it with `orc serve --address 192.0.2.1`, or name with --server what it listens on", 1, "--server", "https://192.0.2.1:6443")]
    [InlineData("--server: http://192.0.2.1 is no address of an API server, such as https://10.0.0.1:6443", 2, "--server", "http://192.0.2.1")]
    [InlineData("--valid-for: 10m is too short: at least 1h", 2, "--valid-for", "10m")]
    public async Task A_token_that_would_not_serve_is_not_made(string why, int code, params string[] arguments)
    {
        var made = await OrcAsync(["join-token", "--data-folder", server.DataFolder, .. arguments]);

        Assert.Equal(code, made.ExitCode);
        Assert.Matches($"^error: {string.Join(".*", why.Split('*').Select(System.Text.RegularExpressions.Regex.Escape))}\n$", made.Errors);
        Assert.Empty(made.Output);
    }

    [Fact]
    public async Task Where_no_server_has_been_there_is_no_token()
    {
        var made = await OrcAsync(["join-token", "--data-folder", _folder["nothing"]]);

        Assert.Equal(ExitCodes.Failed, made.ExitCode);
        Assert.Contains("is no data folder of an `orc serve`", made.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("secret", "no token of `orc proxy join-token`")]
    [InlineData("orcproxy1.", "not whole")]
    [InlineData("orcproxy1.AAAA", "not whole")]
    [InlineData("orcproxy1.%%%", "not whole")]
    public void What_is_no_token_is_said(string token, string why) =>
        Assert.Contains(why, Assert.Throws<CommandException>(() => JoinToken.Read(token)).Message, StringComparison.Ordinal);

    [Fact]
    public void Half_a_token_is_none()
    {
        var token = JoinToken.Write("apiVersion: v1\ncurrent-context: orchestrator\n");

        Assert.Equal("apiVersion: v1\ncurrent-context: orchestrator\n", JoinToken.Read($" {token}\n"));
        Assert.All(Enumerable.Range(10, token.Length - 11), length => Assert.Throws<CommandException>(() => JoinToken.Read(token[..length])));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Without a connection: it needs none.</summary>
    private static Task<Command> OrcAsync(string[] arguments) => Command.RunAsync(ServerFixture.OrcPath, ["proxy", .. arguments]);
}
