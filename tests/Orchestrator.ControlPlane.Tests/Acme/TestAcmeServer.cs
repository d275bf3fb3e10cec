using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.ControlPlane.Tests.Acme;

/// <summary>
/// An authority of the tests' own, in place of the network: as strict as RFC 8555 with nonces, URLs and signatures, and bad at what the test
/// asks for. Validates nothing.
/// </summary>
internal sealed class TestAcmeServer(TimeProvider time) : HttpMessageHandler
{
    private const string Root = "https://acme.test/";

    private readonly TestAuthority _authority = new();
    private readonly HashSet<string> _nonces = [];
    private readonly Dictionary<string, ECDsa> _accounts = [];
    private readonly List<Order> _orders = [];
    private int _count;

    public static Uri Directory { get; } = new(Root + "dir");

    /// <summary>So many requests are told that their nonce is bad, whatever it is.</summary>
    public int BadNonces { get; set; }

    /// <summary>Given to orders while there is one.</summary>
    public Func<HttpResponseMessage>? AnswerToOrders { get; set; }

    public bool ExternalAccountRequired { get; set; }

    /// <summary>A host whose authorization fails.</summary>
    public string? InvalidHost { get; set; }

    /// <summary>Authorizations, or orders, that nobody decides.</summary>
    public bool StaysPending { get; set; }

    public bool StaysProcessing { get; set; }

    /// <summary>The type of the challenges offered.</summary>
    public string ChallengeType { get; set; } = "http-01";

    public string Token { get; set; } = "token-of-";

    public TimeSpan Life { get; set; } = TimeSpan.FromDays(90);

    /// <summary>The hosts of each order so far.</summary>
    public IReadOnlyList<string> Orders => [.. _orders.Select(order => string.Join(' ', order.Hosts))];

    public int Accounts => _accounts.Count;

    public int Requests { get; private set; }

    public void ForgetAccounts() => _accounts.Clear();

    public static HttpResponseMessage Problem(HttpStatusCode code, string type, string detail) => new(code)
    {
        Content = new StringContent(
            new JsonObject { ["type"] = "urn:ietf:params:acme:error:" + type, ["detail"] = detail }.ToJsonString(), Encoding.UTF8, "application/problem+json"),
    };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var response = Answer(request, body);
        if (request.RequestUri != Directory)
        {
            var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(8));
            _nonces.Add(nonce);
            response.Headers.Add("Replay-Nonce", nonce);
        }

        response.RequestMessage = request;
        return response;
    }

    protected override void Dispose(bool disposing)
    {
        _authority.Dispose();
        base.Dispose(disposing);
    }

    private HttpResponseMessage Answer(HttpRequestMessage request, string body)
    {
        Requests++;
        var url = request.RequestUri!.ToString();
        if (request.Method != HttpMethod.Post)
        {
            return url == Directory.ToString()
                ? Json(new JsonObject
                {
                    ["newNonce"] = Root + "nonce",
                    ["newAccount"] = Root + "account",
                    ["newOrder"] = Root + "order",
                    ["meta"] = new JsonObject { ["externalAccountRequired"] = ExternalAccountRequired },
                })
                : new(HttpStatusCode.OK);
        }

        if (request.Content!.Headers.ContentType!.ToString() != "application/jose+json")
        {
            return Problem(HttpStatusCode.UnsupportedMediaType, "malformed", "the content type is another");
        }

        var jws = JsonNode.Parse(body)!;
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(jws["protected"]!.GetValue<string>()))!;
        if (!_nonces.Remove(header["nonce"]!.GetValue<string>()) || BadNonces-- > 0)
        {
            return Problem(HttpStatusCode.BadRequest, "badNonce", "the nonce is unknown");
        }

        var account = header["kid"]?.GetValue<string>();
        using var own = header["jwk"] is { } jwk ? KeyOf(jwk) : null;
        var key = account is null ? own : _accounts.GetValueOrDefault(account);
        if (key is null)
        {
            return Problem(HttpStatusCode.BadRequest, "accountDoesNotExist", "no such account");
        }

        var signed = Encoding.ASCII.GetBytes($"{jws["protected"]}.{jws["payload"]}");
        if (header["alg"]!.GetValue<string>() != "ES256" || header["url"]!.GetValue<string>() != url
            || !key.VerifyData(signed, Base64Url.DecodeFromChars(jws["signature"]!.GetValue<string>()), HashAlgorithmName.SHA256))
        {
            return Problem(HttpStatusCode.Unauthorized, "unauthorized", "the signature is not good");
        }

        var payload = Base64Url.DecodeFromChars(jws["payload"]!.GetValue<string>());
        return Answer(url, key, payload.Length == 0 ? null : JsonNode.Parse(payload));
    }

    private HttpResponseMessage Answer(string url, ECDsa key, JsonNode? payload)
    {
        var parts = url[Root.Length..].Split('/');
        switch (parts[0])
        {
            case "account" when parts.Length == 1:
                var known = _accounts.FirstOrDefault(entry => entry.Value.ExportSubjectPublicKeyInfo().SequenceEqual(key.ExportSubjectPublicKeyInfo())).Key;
                var name = known ?? $"{Root}account/{++_count}";
                if (known is null)
                {
                    var copy = ECDsa.Create();
                    copy.ImportSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _);
                    _accounts[name] = copy;
                }

                return Json(new JsonObject { ["status"] = "valid", ["contact"] = payload!["contact"]!.DeepClone() }, name);

            case "order" when parts.Length == 1:
                if (AnswerToOrders is { } answer)
                {
                    return answer();
                }

                _orders.Add(new Order([.. payload!["identifiers"]!.AsArray().Select(one => one!["value"]!.GetValue<string>())]));
                return Json(Show(_orders.Count - 1), $"{Root}order/{_orders.Count - 1}");

            case "order":
                return Json(Show(Index(parts[1])));

            case "authorization":
                return Json(ShowAuthorization(Index(parts[1]), Index(parts[2])));

            case "challenge":
                _orders[Index(parts[1])].Asked.Add(Index(parts[2]));
                return Json(new JsonObject { ["status"] = "processing" });

            case "finalize":
                var order = _orders[Index(parts[1])];
                order.Chain = Issue(payload!["csr"]!.GetValue<string>(), order.Hosts);
                return Json(Show(Index(parts[1])));

            case "certificate":
                return new(HttpStatusCode.OK) { Content = new StringContent(_orders[Index(parts[1])].Chain!) };

            default:
                return new(HttpStatusCode.NotFound);
        }
    }

    private JsonObject Show(int index)
    {
        var order = _orders[index];
        var isInvalid = order.Hosts.Contains(InvalidHost) && order.Asked.Count > 0;
        return new()
        {
            ["status"] = isInvalid ? "invalid"
                : order.Asked.Count < order.Hosts.Count || StaysPending ? "pending"
                : order.Chain is null ? "ready"
                : StaysProcessing ? "processing" : "valid",
            ["authorizations"] = new JsonArray([.. order.Hosts.Select((_, host) => JsonValue.Create($"{Root}authorization/{index}/{host}"))]),
            ["finalize"] = $"{Root}finalize/{index}",
            ["certificate"] = $"{Root}certificate/{index}",
        };
    }

    private JsonObject ShowAuthorization(int order, int index)
    {
        var host = _orders[order].Hosts[index];
        var asked = _orders[order].Asked.Contains(index) && !StaysPending;
        var challenge = new JsonObject { ["type"] = ChallengeType, ["url"] = $"{Root}challenge/{order}/{index}", ["token"] = Token + host.Replace('.', '-') };
        if (asked && host == InvalidHost)
        {
            challenge["error"] = new JsonObject { ["type"] = "urn:ietf:params:acme:error:connection", ["detail"] = $"{host} refused the connection" };
        }

        return new()
        {
            ["status"] = !asked ? "pending" : host == InvalidHost ? "invalid" : "valid",
            ["identifier"] = new JsonObject { ["type"] = "dns", ["value"] = host },
            ["challenges"] = new JsonArray(challenge),
        };
    }

    private string Issue(string csr, IReadOnlyList<string> hosts)
    {
        var request = CertificateRequest.LoadSigningRequest(
            Base64Url.DecodeFromChars(csr), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        var names = request.CertificateExtensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames();
        Assert.Equal(hosts, names);
        var now = time.GetUtcNow();
        using var issued = request.Create(_authority.Certificate, now, now + Life, BitConverter.GetBytes(++_count));
        return issued.ExportCertificatePem() + "\n" + _authority.Certificate.ExportCertificatePem() + "\n";
    }

    private static ECDsa KeyOf(JsonNode jwk) => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new() { X = Base64Url.DecodeFromChars(jwk["x"]!.GetValue<string>()), Y = Base64Url.DecodeFromChars(jwk["y"]!.GetValue<string>()) },
    });

    private static int Index(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static HttpResponseMessage Json(JsonObject json, string? location = null)
    {
        var response = new HttpResponseMessage(location is null ? HttpStatusCode.OK : HttpStatusCode.Created)
        {
            Content = new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        response.Headers.Location = location is null ? null : new Uri(location);
        return response;
    }

    private sealed record Order(IReadOnlyList<string> Hosts)
    {
        public HashSet<int> Asked { get; } = [];

        public string? Chain { get; set; }
    }
}
