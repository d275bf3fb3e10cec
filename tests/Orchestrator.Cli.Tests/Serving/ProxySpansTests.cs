using System.Diagnostics;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Serving;

/// <summary>OpenTelemetry's variables of the environment, which only a process of its own has.</summary>
public sealed class ProxySpansTests(ServerFixture server) : IDisposable
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_spans_go_who_sends_them_and_how_many_is_said_by_the_environment_too()
    {
        await using var receiver = await OtlpReceiver.StartAsync();

        await AskOnceAsync(("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Grpc.ToString()), ("OTEL_TRACES_SAMPLER", "always_off"));
        Assert.Empty(await receiver.TraceAsync(Trace));

        await AskOnceAsync(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.OverHttp.ToString()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_SERVICE_NAME", "entrance-1"));
        Assert.Equal("entrance-1", Assert.Single(await receiver.TraceAsync(Trace)).Service);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "is no http or https URL")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "is neither grpc nor http/protobuf")]
    public async Task A_variable_that_says_what_cannot_be_is_named(string variable, string value, string problem)
    {
        using var proxy = Start(FreePort.Next(), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"), (variable, value));
        var said = await proxy.StandardError.ReadToEndAsync(Cancellation);
        await proxy.WaitForExitAsync(Cancellation);

        Assert.Contains($"${variable}: \"{value}\" {problem}", said, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Usage, proxy.ExitCode);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Runs a proxy for one request, and stops it in good order.</summary>
    private async Task AskOnceAsync(params (string Name, string Value)[] environment)
    {
        var port = FreePort.Next();
        using var proxy = Start(port, environment);
        var errors = proxy.StandardError.ReadToEndAsync(Cancellation);
        try
        {
            using var http = new HttpClient();
            await Eventually.True(
                async () =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{port}/"));
                    request.Headers.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
                    using var answer = await http.SendAsync(request, Cancellation);
                    return true;
                },
                TimeSpan.FromSeconds(60));
            Assert.Equal(0, Native.Kill(proxy.Id, Native.Sigterm));
            await proxy.WaitForExitAsync(Cancellation);
            Assert.True(proxy.ExitCode == ExitCodes.Done, await errors);
        }
        finally
        {
            proxy.Kill();
        }
    }

    private Process Start(int port, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(
            ServerFixture.OrcPath,
            ["proxy", "--kubeconfig", server.ProxyKubeconfig, "--data-folder", _folder[$"proxy-{port}"], "--listen", $"127.0.0.1:{port}", "--admin-listen", "none"])
        {
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
