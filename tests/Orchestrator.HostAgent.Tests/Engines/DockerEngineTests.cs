using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Tests.Engines;

public sealed class DockerEngineTests : IDisposable
{
    private readonly Kubernetes _nowhere = new(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });

    public void Dispose() => _nowhere.Dispose();

    [Fact]
    public async Task An_error_inside_the_stream_of_a_pull_fails_the_pull()
    {
        await using var stub = await StubEngine.StartAsync(async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/images/create", StringComparison.Ordinal))
            {
                return false;
            }

            await context.Response.WriteAsync("""
                {"status":"Pulling from web","id":"v1"}
                {"status":"Extracting","id":"abc","progressDetail":{"current":1,"total":2}}
                {"errorDetail":{"message":"failed to register layer: write /srv/big: no space left on device"},"error":"failed to register layer: write /srv/big: no space left on device"}

                """);
            return true;
        });
        using var engine = await ConnectAsync(stub.Endpoint);
        var failure = await Assert.ThrowsAsync<EngineException>(() =>
            engine.PullAsync(ImageReference.Parse("r.example.org/web:v1")!, null, TestContext.Current.CancellationToken));

        Assert.Equal(EngineFailure.Failed, failure.Failure);
        Assert.Contains("no space left on device", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("html")]
    [InlineData("{\"message\":{}}")]
    [InlineData("[]")]
    public async Task An_error_answer_that_is_not_Dockers_is_told_as_that_in_a_sentence(string body)
    {
        await using var stub = await StubEngine.StartAsync(async context =>
        {
            context.Response.StatusCode = 502;
            await context.Response.WriteAsync(body == "html" ? $"<html>\n{new string('x', 100_000)}\n</html>" : body);
            return true;
        });
        var failure = await FailToConnectAsync(stub.Endpoint);

        Assert.Equal(EngineFailure.Failed, failure.Failure);
        Assert.Equal($"{stub.Endpoint["tcp://".Length..]} answered 502 with something that is not Docker's", failure.Message);
    }

    [Fact]
    public async Task Long_words_of_an_engine_are_cut_to_a_line()
    {
        await using var stub = await StubEngine.StartAsync(async context =>
        {
            context.Response.StatusCode = 500;
            await context.Response.WriteAsJsonAsync(new { message = $"first\nsecond {new string('x', 100_000)}" });
            return true;
        });
        var failure = await FailToConnectAsync(stub.Endpoint);

        Assert.StartsWith("first second xxx", failure.Message, StringComparison.Ordinal);
        Assert.Equal(EngineErrors.MaxLength + 1, failure.Message.Length);
    }

    [Fact]
    public async Task A_pull_that_fails_with_a_registrys_whole_page_is_told_in_a_sentence()
    {
        await using var stub = await StubEngine.StartAsync(async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/images/create", StringComparison.Ordinal))
            {
                return false;
            }

            var error = $"error parsing HTTP 502 response body: {new string('x', 100_000)}";
            await context.Response.WriteAsJsonAsync(new { errorDetail = new { message = error }, error });
            return true;
        });
        using var engine = await ConnectAsync(stub.Endpoint);
        var failure = await Assert.ThrowsAsync<EngineException>(() =>
            engine.PullAsync(ImageReference.Parse("r.example.org/web:v1")!, null, TestContext.Current.CancellationToken));

        Assert.StartsWith("error parsing HTTP 502 response body", failure.Message, StringComparison.Ordinal);
        Assert.Equal(EngineErrors.MaxLength + 1, failure.Message.Length);
    }

    [Fact]
    public async Task Calls_carry_the_newest_API_version_that_both_sides_speak()
    {
        var paths = new List<string>();
        await using var stub = await StubEngine.StartAsync(
            context =>
            {
                lock (paths)
                {
                    paths.Add(context.Request.Path.Value!);
                }

                return Task.FromResult(false);
            },
            apiVersion: "1.43");
        using var engine = await ConnectAsync(stub.Endpoint);

        Assert.Equal("1.43", engine.Facts.ApiVersion);
        Assert.Equal(["/version", "/v1.43/info"], paths);
    }

    [Theory]
    [InlineData("1.40", null, "too old")]
    [InlineData("1.70", "1.60", "too new")]
    [InlineData("soon", null, "is it Docker?")]
    public void An_engine_that_speaks_another_API_is_refused_with_the_reason(string newest, string? oldest, string reason)
    {
        var failure = Assert.Throws<EngineException>(() => EngineConnector.Negotiate("99", newest, oldest));
        Assert.Equal(EngineFailure.Incompatible, failure.Failure);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_engine_newer_than_we_know_is_spoken_to_in_what_we_know() =>
        Assert.Equal(EngineConnector.NewestApi, EngineConnector.Negotiate("99", "1.70", "1.44"));

    [Fact]
    public async Task A_call_that_fails_on_the_way_is_repeated()
    {
        var tries = 0;
        await using var stub = await StubEngine.StartAsync(context =>
        {
            if (context.Request.Path.Value!.EndsWith("/containers/json", StringComparison.Ordinal) && Interlocked.Increment(ref tries) < 3)
            {
                context.Abort();
                return Task.FromResult(true);
            }

            return Task.FromResult(false);
        });
        using var engine = await ConnectAsync(stub.Endpoint);
        var failure = await Assert.ThrowsAsync<EngineException>(() => engine.ListAsync("instance", TestContext.Current.CancellationToken));

        Assert.Equal((3, EngineFailure.NotFound), (tries, failure.Failure));
    }

    [Fact]
    public async Task A_stop_is_not_repeated()
    {
        var tries = 0;
        await using var stub = await StubEngine.StartAsync(context =>
        {
            if (context.Request.Path.Value!.EndsWith("/stop", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref tries);
                context.Abort();
                return Task.FromResult(true);
            }

            return Task.FromResult(false);
        });
        using var engine = await ConnectAsync(stub.Endpoint);
        var failure = await Assert.ThrowsAsync<EngineException>(() => engine.StopAsync("c1", TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken));

        Assert.Equal((1, EngineFailure.Interrupted), (tries, failure.Failure));
    }

    [Fact]
    public async Task A_broken_circuit_holds_calls_back_but_not_the_ones_that_find_out_why()
    {
        var pipeline = new EnginePipeline("breaking", new FakeTimeProvider());
        var works = false;
        Task<int> Call(EngineOperation operation) => pipeline.RunAsync(
            operation,
            _ => works ? Task.FromResult(1) : throw new EngineException(EngineFailure.Tls, "mistrusted"),
            TestContext.Current.CancellationToken);
        async Task<EngineException> Fail(EngineOperation operation) => await Assert.ThrowsAsync<EngineException>(() => Call(operation));
        for (var call = 0; call < 6; call++)
        {
            Assert.Equal("mistrusted", (await Fail(EngineOperation.List)).Message);
        }

        Assert.Contains("asked again within", (await Fail(EngineOperation.List)).Message, StringComparison.Ordinal);
        Assert.Equal("mistrusted", (await Fail(EngineOperation.Version)).Message);
        works = true;
        Assert.Equal(1, await Call(EngineOperation.Version));
        Assert.Equal(1, await Call(EngineOperation.List));
    }

    [Fact]
    public async Task Where_nothing_listens_the_message_says_so()
    {
        var failure = await FailToConnectAsync($"tcp://127.0.0.1:{FreePort.Next()}");
        Assert.Equal(EngineFailure.Refused, failure.Failure);
        Assert.Contains("is the engine running and listening there?", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_that_is_not_there_is_named()
    {
        var failure = await FailToConnectAsync("unix:///nonexistent/docker.sock");
        Assert.Equal(EngineFailure.Refused, failure.Failure);
        Assert.Contains("there is no socket /nonexistent/docker.sock", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Secret_for_a_unix_socket_is_a_mistake_worth_telling()
    {
        var host = new DockerHost { Metadata = new V1ObjectMeta { Name = "h" }, Spec = new DockerHostSpec { Endpoint = "unix:///run/docker.sock", TlsSecretName = "tls" } };
        var failure = await Assert.ThrowsAsync<EngineException>(() => ConnectAsync(host));
        Assert.Contains("spec.tlsSecretName is for tcp endpoints", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task And_so_is_an_ssh_key_for_what_is_not_reached_by_ssh()
    {
        var host = new DockerHost { Metadata = new V1ObjectMeta { Name = "h" }, Spec = new DockerHostSpec { Endpoint = "tcp://127.0.0.1:1", SshSecretName = "key" } };
        var failure = await Assert.ThrowsAsync<EngineException>(() => ConnectAsync(host));
        Assert.Contains("spec.sshSecretName is for ssh endpoints", failure.Message, StringComparison.Ordinal);
    }

    private async Task<EngineException> FailToConnectAsync(string endpoint) =>
        await Assert.ThrowsAsync<EngineException>(async () => (await ConnectAsync(endpoint)).Dispose());

    private Task<IEngine> ConnectAsync(string endpoint) =>
        ConnectAsync(new DockerHost { Metadata = new V1ObjectMeta { Name = "stub" }, Spec = new DockerHostSpec { Endpoint = endpoint } });

    private Task<IEngine> ConnectAsync(DockerHost host) => new EngineConnector(_nowhere, TimeProvider.System)
        .ConnectAsync(host, new EnginePipeline(host.Metadata.Name, TimeProvider.System), TestContext.Current.CancellationToken);
}
