using System.Net;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Plain;

public sealed class TrailerTests
{
    [Fact]
    public async Task What_a_replica_says_after_its_chunks_reaches_a_client_of_http2()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = new RawReplicaServer(
            "web", _ => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nConnection: x\r\nX-Sum: 2\r\n\r\n");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await proxy.Client.SendAsync(request, cancellation);

        Assert.Equal("ok", await response.Content.ReadAsStringAsync(cancellation));
        Assert.Equal(["1", "2"], response.TrailingHeaders.GetValues("X-Sum"));
        Assert.False(response.TrailingHeaders.Contains("Connection"));
    }
}
