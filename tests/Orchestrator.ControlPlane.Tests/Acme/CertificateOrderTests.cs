using System.Net;
using Orchestrator.ControlPlane.Acme;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.ControlPlane.Tests.Acme;

public sealed class CertificateOrderTests : IDisposable
{
    private static readonly string[] Hosts = ["shop.example.org", "www.example.org"];

    private readonly EagerClock _time = new();
    private readonly TestAcmeServer _server;
    private readonly AcmeClient _client;
    private readonly AccountKey _key = AccountKey.Create();
    private IReadOnlyDictionary<string, string>? _shown;

    public CertificateOrderTests()
    {
        _server = new(_time);
        _client = new(TestAcmeServer.Directory, _server, _time);
    }

    public void Dispose()
    {
        _client.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task A_certificate_is_for_the_hosts_and_of_a_key_of_its_own()
    {
        var issued = await OrderAsync();

        using var read = KeyedCertificate.Read(issued.Chain, issued.Key);
        Assert.All(Hosts, host => Assert.True(read.Names(host)));
        Assert.Single(read.Intermediates);
        Assert.Equal($"token-of-www-example-org.{_key.Thumbprint}", _shown!["token-of-www-example-org"]);
        Assert.NotEqual(issued.Key, (await OrderAsync()).Key);
    }

    [Fact]
    public async Task The_same_key_has_the_same_account()
    {
        await OrderAsync();
        await OrderAsync();

        Assert.Equal(1, _server.Accounts);
    }

    [Fact]
    public async Task A_nonce_that_is_not_known_any_more_is_replaced_but_not_for_ever()
    {
        _server.BadNonces = 4;
        await OrderAsync();

        _server.BadNonces = 1000;
        var before = _server.Requests;
        var failure = await Assert.ThrowsAsync<AcmeException>(OrderAsync);
        Assert.Equal("badNonce", failure.Type);
        Assert.InRange(_server.Requests - before, 1, 10);
    }

    [Fact]
    public async Task A_rate_limit_says_when_to_come_again()
    {
        _server.AnswerToOrders = () =>
        {
            var answer = TestAcmeServer.Problem(HttpStatusCode.TooManyRequests, "rateLimited", "too many certificates for example.org");
            answer.Headers.RetryAfter = new(TimeSpan.FromHours(3));
            return answer;
        };

        var failure = await Assert.ThrowsAsync<AcmeException>(OrderAsync);

        Assert.Equal(("rateLimited", TimeSpan.FromHours(3)), (failure.Type, failure.RetryAfter));
        Assert.Equal("too many certificates for example.org (rateLimited)", failure.Message);
    }

    [Fact]
    public async Task A_host_that_does_not_answer_is_named_with_the_reason()
    {
        _server.InvalidHost = "www.example.org";

        var failure = await Assert.ThrowsAsync<AcmeException>(OrderAsync);

        Assert.Equal("www.example.org: the authorization is invalid: www.example.org refused the connection (connection)", failure.Message);
    }

    [Theory]
    [InlineData(true, "an authorization stays pending: nothing was decided in 3 minutes")]
    [InlineData(false, "the order stays in processing: nothing was decided in 3 minutes")]
    public async Task What_nobody_decides_is_given_up(bool pending, string message)
    {
        (_server.StaysPending, _server.StaysProcessing) = (pending, !pending);

        Assert.Equal(message, (await Assert.ThrowsAsync<AcmeException>(OrderAsync)).Message);
    }

    [Fact]
    public async Task Other_challenges_than_by_http_are_no_use()
    {
        _server.ChallengeType = "dns-01";

        Assert.Equal("shop.example.org: the authority offers no http-01 challenge", (await Assert.ThrowsAsync<AcmeException>(OrderAsync)).Message);
    }

    [Fact]
    public async Task A_token_that_is_none_is_shown_nowhere()
    {
        _server.Token = "../";

        Assert.StartsWith("the authority gave a token that is none", (await Assert.ThrowsAsync<AcmeException>(OrderAsync)).Message, StringComparison.Ordinal);
        Assert.Null(_shown);
    }

    [Fact]
    public async Task An_authority_that_wants_to_know_its_users_beforehand_is_told_of()
    {
        _server.ExternalAccountRequired = true;

        Assert.Contains("external account binding", (await Assert.ThrowsAsync<AcmeException>(OrderAsync)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadGateway, "<html>", "status 502 from https://acme.test/order")]
    [InlineData(HttpStatusCode.Created, "<html>", "the authority gave the order no URL")]
    public async Task What_is_no_acme_is_told_of(HttpStatusCode code, string body, string message)
    {
        _server.AnswerToOrders = () => new(code) { Content = new StringContent(body) };

        Assert.Equal(message, (await Assert.ThrowsAsync<AcmeException>(OrderAsync)).Message);
    }

    private async Task<IssuedCertificate> OrderAsync()
    {
        var account = await AcmeAccount.OpenAsync(_client, _key, "web@example.org", TestContext.Current.CancellationToken);
        var order = new CertificateOrder(
            _client,
            account,
            (answers, _) =>
            {
                _shown = answers;
                return Task.CompletedTask;
            },
            _time);
        return await order.RunAsync(Hosts, TestContext.Current.CancellationToken);
    }
}
