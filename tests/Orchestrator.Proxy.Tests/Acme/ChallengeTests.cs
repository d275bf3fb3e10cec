using System.Net;
using System.Text;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Acme;

public sealed class ChallengeTests
{
    private const string Path = "/.well-known/acme-challenge/";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Known_tokens_are_answered_for_any_host_and_all_else_is_the_apps()
    {
        await using var replica = await ReplicaServer.StartAsync("one");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route(), replica.Id);
        proxy.Challenges.Use("acme.default.web", Secret(("t-1", "t-1.thumb")));

        using var answer = await proxy.Client.GetAsync(Path + "t-1", Cancellation);
        Assert.Equal((HttpStatusCode.OK, "t-1.thumb"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation)));
        Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType!.MediaType);
        using var head = await proxy.Client.SendAsync(new(HttpMethod.Head, Path + "t-1"), Cancellation);
        Assert.Equal((HttpStatusCode.OK, 9), (head.StatusCode, (int)head.Content.Headers.ContentLength!));

        await Assert.AllAsync(
            (string[])[Path + "t-2", Path, Path + "T-1", Path + "t-1/", "/.well-known/t-1", "/t-1"],
            async path => Assert.Equal("one", await AskAsync(proxy, HttpMethod.Get, path)));
        Assert.Equal("one", await AskAsync(proxy, HttpMethod.Post, Path + "t-1"));

        proxy.Challenges.Use("acme.default.web", null);
        Assert.Equal("one", await AskAsync(proxy, HttpMethod.Get, Path + "t-1"));
    }

    [Fact]
    public async Task A_host_that_belongs_to_no_app_yet_is_proved_too()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Challenges.Use("acme.default.web", Secret(("t-1", "t-1.thumb")));

        Assert.Equal("t-1.thumb", await proxy.Client.GetStringAsync(Path + "t-1", Cancellation));
        using var other = await proxy.Client.GetAsync(Path + "t-2", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Theory]
    [InlineData("default.web", ProxySecrets.ChallengesType)]
    [InlineData(ProxySecrets.DefaultCertificate, ProxySecrets.ChallengesType)]
    [InlineData("acme.default.web", "Opaque")]
    public async Task Other_secrets_are_no_answers(string name, string type)
    {
        await using var proxy = await TestProxy.StartAsync();
        var secret = Secret(("tls.key", "secret"));
        secret.Type = type;
        proxy.Challenges.Use(name, secret);

        using var answer = await proxy.Client.GetAsync(Path + "tls.key", Cancellation);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task What_is_laid_out_in_the_api_is_answered_and_the_lease_says_so_until_it_goes()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var proxy = await cluster.StartProxyAsync();
        using var admin = cluster.Client("admin");
        using var client = TestProxy.NewClient(new($"http://{proxy.Address}/"));
        await Eventually.True(async () => (await cluster.AllLeasesAsync()).Count == 1);

        var secret = Secret(("t-2", "t-2.thumb"), ("t-1", "t-1.thumb"));
        await admin.CoreV1.CreateNamespacedSecretAsync(secret, ApiGroup.ProxyNamespace, cancellationToken: Cancellation);
        await Eventually.True(async () => await ToldAsync() == "t-1,t-2");
        Assert.Equal("t-2.thumb", await client.GetStringAsync(Path + "t-2", Cancellation));

        await admin.CoreV1.DeleteNamespacedSecretAsync(secret.Metadata.Name, ApiGroup.ProxyNamespace, cancellationToken: Cancellation);
        await Eventually.True(async () => await ToldAsync() is null);
        using var gone = await client.GetAsync(Path + "t-2", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);

        async Task<string?> ToldAsync() => (await cluster.LeaseAsync()).GetAnnotation(Annotations.Challenges);
    }

    private static V1Secret Secret(params (string Token, string Answer)[] answers) => new()
    {
        Metadata = new() { Name = "acme.default.web" },
        Type = ProxySecrets.ChallengesType,
        Data = answers.ToDictionary(answer => answer.Token, answer => Encoding.ASCII.GetBytes(answer.Answer)),
    };

    private static async Task<string> AskAsync(TestProxy proxy, HttpMethod method, string path)
    {
        using var answer = await proxy.Client.SendAsync(new HttpRequestMessage(method, path), Cancellation);
        return await answer.Content.ReadAsStringAsync(Cancellation);
    }
}
