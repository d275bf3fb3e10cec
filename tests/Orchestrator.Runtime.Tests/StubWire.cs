using System.Net;
using System.Text;
using k8s;

namespace Orchestrator.Runtime.Tests;

/// <summary>
/// The wire under a real client: a test says what is answered to each request. What it answers is the test's; that the client
/// asks rightly and reads rightly is what is tested.
/// </summary>
internal sealed class StubWire(Func<StubRequest, CancellationToken, Task<HttpResponseMessage>> answer) : DelegatingHandler
{
    private readonly Lock _gate = new();
    private readonly List<StubRequest> _requests = [];

    public StubWire(Func<StubRequest, HttpResponseMessage> answer)
        : this((request, _) => Task.FromResult(answer(request)))
    {
    }

    public IReadOnlyList<StubRequest> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    public Kubernetes Client() => new(new KubernetesClientConfiguration { Host = "http://stub.invalid" }, this);

    public static HttpResponseMessage Json(object body, HttpStatusCode code = HttpStatusCode.OK) =>
        new(code) { Content = new StringContent(KubernetesJson.Serialize(body), Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Failure(HttpStatusCode code, string reason) =>
        Json(new { kind = "Status", apiVersion = "v1", status = "Failure", code = (int)code, reason, message = $"stub: {reason}" }, code);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var seen = new StubRequest(request.Method.Method, request.RequestUri!.AbsolutePath, request.RequestUri.Query, body);
        lock (_gate)
        {
            _requests.Add(seen);
        }

        var response = await answer(seen, cancellationToken);
        response.RequestMessage = request;
        return response;
    }
}

internal sealed record StubRequest(string Method, string Path, string Query, string Body)
{
    public bool IsWatch => Query.Contains("watch=true", StringComparison.Ordinal);

    public T Read<T>() => KubernetesJson.Deserialize<T>(Body);
}
