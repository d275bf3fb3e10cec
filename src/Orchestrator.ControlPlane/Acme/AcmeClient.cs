using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Orchestrator.ControlPlane.Acme;

/// <param name="Location">Of what was made.</param>
/// <param name="RetryAfter">When to ask again, as the authority would have it.</param>
internal sealed record AcmeResponse(byte[] Body, Uri? Location, TimeSpan? RetryAfter);

/// <summary>
/// Requests of RFC 8555, section 6: signed, each with a nonce of its own, sent again when the authority does not know that (any more).
/// What it refuses is an <see cref="AcmeException"/>.
/// </summary>
internal sealed class AcmeClient : IDisposable
{
    private const string Replay = "Replay-Nonce";

    /// <summary>A nonce may have been used or forgotten; one that was just given is, time and again, only if the authority is broken.</summary>
    private const int MostTries = 5;

    /// <summary>Some kilobytes are usual; what is longer is not read to its end.</summary>
    private const int MostBytes = 1 << 20;

    /// <summary>Nonces do not live long: no more are kept than requests are under way at a time.</summary>
    private const int MostNonces = 16;

    private readonly HttpClient _http;
    private readonly Uri _url;
    private readonly TimeProvider _time;
    private readonly ConcurrentStack<string> _nonces = new();
    private volatile AcmeDirectory? _directory;

    /// <param name="handler">What requests go through; disposed with this.</param>
    public AcmeClient(Uri directory, HttpMessageHandler handler, TimeProvider time)
    {
        (_url, _time) = (directory, time);
        _http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = MostBytes };

        // RFC 8555, 6.1 asks for one.
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("orchestrator", typeof(AcmeClient).Assembly.GetName().Version?.ToString(3)));
        _http.DefaultRequestHeaders.AcceptLanguage.Add(new StringWithQualityHeaderValue("en"));
    }

    public static HttpMessageHandler NewHandler(X509Certificate2Collection? authorities)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30), ConnectTimeout = TimeSpan.FromSeconds(10) };
        if (authorities is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return handler;
    }

    /// <summary>Asked for once, and again after <see cref="ForgetDirectory"/>.</summary>
    /// <exception cref="AcmeException">There is none at this address.</exception>
    public async Task<AcmeDirectory> DirectoryAsync(CancellationToken cancellationToken)
    {
        if (_directory is { } known)
        {
            return known;
        }

        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, _url), cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw Refusal(response, body);
        }

        var directory = Read(body, AcmeJson.Default.AcmeDirectory, "directory");
        return _directory = directory is { NewAccount: not null, NewNonce: not null, NewOrder: not null } ? directory
            : throw new AcmeException($"{_url} is no ACME directory: newNonce, newAccount and newOrder are not all there");
    }

    /// <summary>Something went wrong: it may be another by now.</summary>
    public void ForgetDirectory() => _directory = null;

    /// <summary>Sends what is to be read as a type of its own.</summary>
    public Task<AcmeResponse> PostAsync<T>(AccountKey key, Uri? account, Uri url, T message, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        PostAsync(key, account, url, JsonSerializer.SerializeToUtf8Bytes(message, type), cancellationToken);

    /// <param name="account">Null: the request is signed by a key that has none yet.</param>
    /// <param name="payload">Empty: POST-as-GET.</param>
    public async Task<AcmeResponse> PostAsync(AccountKey key, Uri? account, Uri url, byte[] payload, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var nonce = _nonces.TryPop(out var kept) ? kept : await NewNonceAsync(cancellationToken);
            var message = JsonSerializer.SerializeToUtf8Bytes(key.Sign(url, nonce, account, payload), AcmeJson.Default.JwsMessage);

            // The authorities take this very type, without a charset.
            var content = new ByteArrayContent(message) { Headers = { ContentType = new MediaTypeHeaderValue("application/jose+json") } };
            using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Post, url) { Content = content }, cancellationToken);
            KeepNonce(response);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                return new(body, response.Headers.Location is { } location ? new Uri(url, location) : null, RetryAfterOf(response));
            }

            var refusal = Refusal(response, body);
            if (refusal.Type != AcmeException.BadNonce || tries >= MostTries)
            {
                throw refusal;
            }
        }
    }

    /// <exception cref="AcmeException">It is something else.</exception>
    public static T Read<T>(byte[] body, JsonTypeInfo<T> type, string what)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new JsonException("it is null");
        }
        catch (JsonException unreadable)
        {
            throw new AcmeException($"what the authority sent as {what} cannot be read: {unreadable.Message}", cause: unreadable);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string> NewNonceAsync(CancellationToken cancellationToken)
    {
        var directory = await DirectoryAsync(cancellationToken);
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Head, directory.NewNonce), cancellationToken);
        return response.Headers.TryGetValues(Replay, out var values) ? values.First()
            : throw new AcmeException(
                $"{directory.NewNonce} gave no nonce but status {Number((int)response.StatusCode)}", retryAfter: RetryAfterOf(response));
    }

    private void KeepNonce(HttpResponseMessage response)
    {
        if (_nonces.Count < MostNonces && response.Headers.TryGetValues(Replay, out var values))
        {
            _nonces.Push(values.First());
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            try
            {
                return await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            }
            catch (HttpRequestException failure)
            {
                throw new AcmeException($"{request.RequestUri}: {failure.GetBaseException().Message}", cause: failure);
            }
            catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
            {
                throw new AcmeException($"{request.RequestUri} did not answer in {Number((int)_http.Timeout.TotalSeconds)} s", cause: late);
            }
        }
    }

    private AcmeException Refusal(HttpResponseMessage response, byte[] body)
    {
        AcmeProblem? problem = null;
        if (response.Content.Headers.ContentType?.MediaType is "application/problem+json" or "application/json")
        {
            try
            {
                problem = JsonSerializer.Deserialize(body, AcmeJson.Default.AcmeProblem);
            }
            catch (JsonException)
            {
                // Said by its status alone, below.
            }
        }

        var text = problem?.ToString() ?? $"status {Number((int)response.StatusCode)} from {response.RequestMessage?.RequestUri}";
        return new(
            response.StatusCode == HttpStatusCode.TooManyRequests && problem is null ? $"too many requests: {text}" : text,
            problem?.ShortType,
            RetryAfterOf(response));
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > _time.GetUtcNow() => date - _time.GetUtcNow(),
        _ => null,
    };

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
