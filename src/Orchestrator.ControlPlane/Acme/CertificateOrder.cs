using System.Text;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.ControlPlane.Acme;

/// <param name="Chain">PEM, the certificate first.</param>
/// <param name="Key">PEM.</param>
internal sealed record IssuedCertificate(byte[] Chain, byte[] Key);

/// <summary>Shows what the authority will look for, and returns when it may look.</summary>
/// <param name="answers">Key authorizations by their tokens.</param>
internal delegate Task ShowChallenges(IReadOnlyDictionary<string, string> answers, CancellationToken cancellationToken);

/// <summary>
/// The way of a certificate (RFC 8555, 7.4): order, authorizations by HTTP-01, request, download. Keeps nothing: what breaks off is begun anew,
/// and authorities give the authorizations of before again.
/// </summary>
internal sealed class CertificateOrder(AcmeClient client, AcmeAccount account, ShowChallenges show, TimeProvider time)
{
    /// <summary>An authority decides in seconds; one that has not by then is given up until the next try.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private const string Http01 = "http-01";
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private readonly long _begin = time.GetTimestamp();

    /// <exception cref="AcmeException">There is none; the message says why.</exception>
    public async Task<IssuedCertificate> RunAsync(IReadOnlyList<string> hosts, CancellationToken cancellationToken)
    {
        var directory = await client.DirectoryAsync(cancellationToken);
        var made = await client.PostAsync(
            account.Key, account.Url, directory.NewOrder!, new AcmeOrderRequest([.. hosts.Select(host => new AcmeIdentifier("dns", host))]), AcmeJson.Default.AcmeOrderRequest, cancellationToken);
        var url = made.Location ?? throw new AcmeException("the authority gave the order no URL");
        var order = ReadOrder(made);
        if (order.Status == AcmeStatus.Pending)
        {
            await AuthorizeAsync(order, cancellationToken);
            order = await WaitAsync(url, ReadOrder, static seen => seen.Status != AcmeStatus.Pending, "the order stays pending", cancellationToken);
        }

        if (order.Status != AcmeStatus.Ready)
        {
            throw Failed(order);
        }

        using var key = new CertificateKey();
        await client.PostAsync(
            account.Key, account.Url, order.Finalize ?? throw new AcmeException("the order says not where it is finalized"), new AcmeFinalizeRequest(key.Request(hosts)), AcmeJson.Default.AcmeFinalizeRequest, cancellationToken);
        order = await WaitAsync(
            url, ReadOrder, static seen => seen.Status is not (AcmeStatus.Processing or AcmeStatus.Ready), "the order stays in processing", cancellationToken);
        return order is { Status: AcmeStatus.Valid, Certificate: { } certificate }
            ? Check(new((await GetAsync(certificate, cancellationToken)).Body, Encoding.ASCII.GetBytes(key.ToPem())), hosts)
            : throw Failed(order);
    }

    private async Task AuthorizeAsync(AcmeOrderObject order, CancellationToken cancellationToken)
    {
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        var open = new List<(Uri Authorization, Uri Challenge)>();
        foreach (var url in order.Authorizations ?? [])
        {
            var authorization = ReadAuthorization(await GetAsync(url, cancellationToken));
            if (authorization.Status == AcmeStatus.Valid)
            {
                continue;
            }

            var challenge = authorization.Challenges?.FirstOrDefault(offered => offered.Type == Http01);
            if (challenge is not { Url: not null, Token: { } token } || authorization.Status != AcmeStatus.Pending)
            {
                throw challenge is null && authorization.Status == AcmeStatus.Pending
                    ? new AcmeException($"{authorization.Identifier?.Value}: the authority offers no {Http01} challenge")
                    : Failed(authorization);
            }

            answers[Token(token)] = account.Key.KeyAuthorization(token);
            open.Add((url, challenge.Url));
        }

        await show(answers, cancellationToken);
        foreach (var (_, challenge) in open)
        {
            await client.PostAsync(account.Key, account.Url, challenge, "{}"u8.ToArray(), cancellationToken);
        }

        foreach (var (url, _) in open)
        {
            var authorization = await WaitAsync(
                url, ReadAuthorization, static seen => seen.Status != AcmeStatus.Pending, "an authorization stays pending", cancellationToken);
            if (authorization.Status != AcmeStatus.Valid)
            {
                throw Failed(authorization);
            }
        }
    }

    private async Task<T> WaitAsync<T>(Uri url, Func<AcmeResponse, T> read, Func<T, bool> decided, string late, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var response = await GetAsync(url, cancellationToken);
            var seen = read(response);
            if (decided(seen))
            {
                return seen;
            }

            var wait = response.RetryAfter > pause ? response.RetryAfter.Value : pause;
            if (time.GetElapsedTime(_begin) + wait > Limit)
            {
                throw new AcmeException($"{late}: nothing was decided in {Limit.TotalMinutes} minutes");
            }

            await Task.Delay(wait, time, cancellationToken);
        }
    }

    private Task<AcmeResponse> GetAsync(Uri url, CancellationToken cancellationToken) => client.PostAsync(account.Key, account.Url, url, [], cancellationToken);

    /// <summary>It becomes a part of a URL and the name of an entry: what it may be made of is the RFC's word, 8.3.</summary>
    private static string Token(string token) => token.Length is > 0 and <= 253 && token.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')
        ? token
        : throw new AcmeException("the authority gave a token that is none: letters, digits, - and _ were expected, up to 253");

    private static IssuedCertificate Check(IssuedCertificate issued, IReadOnlyList<string> hosts)
    {
        try
        {
            using var read = KeyedCertificate.Read(issued.Chain, issued.Key);
            return hosts.All(read.Names) ? issued : throw new FormatException("it is for other names");
        }
        catch (FormatException unusable)
        {
            throw new AcmeException($"the certificate that the authority gave cannot be used: {unusable.Message}", cause: unusable);
        }
    }

    private static AcmeException Failed(AcmeOrderObject order) =>
        new($"the order is {order.Status ?? "without a status"}: {order.Error?.ToString() ?? "no reason is given"}", order.Error?.ShortType);

    private static AcmeException Failed(AcmeAuthorization authorization)
    {
        var error = authorization.Challenges?.Select(challenge => challenge.Error).FirstOrDefault(problem => problem is not null);
        return new(
            $"{authorization.Identifier?.Value}: the authorization is {authorization.Status ?? "without a status"}: {error?.ToString() ?? "no reason is given"}", error?.ShortType);
    }

    private static AcmeOrderObject ReadOrder(AcmeResponse response) => AcmeClient.Read(response.Body, AcmeJson.Default.AcmeOrderObject, "order");

    private static AcmeAuthorization ReadAuthorization(AcmeResponse response) => AcmeClient.Read(response.Body, AcmeJson.Default.AcmeAuthorization, "authorization");
}
