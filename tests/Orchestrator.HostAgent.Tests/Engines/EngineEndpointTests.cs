using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Tests.Engines;

public sealed class EngineEndpointTests
{
    [Theory]
    [InlineData("unix:///run/docker.sock", EngineTransport.Unix, null, "", 0, "/run/docker.sock")]
    [InlineData("unix:///a%20b.sock", EngineTransport.Unix, null, "", 0, "/a b.sock")]
    [InlineData("tcp://10.0.0.1:2376", EngineTransport.Tcp, null, "10.0.0.1", 2376, null)]
    [InlineData("tcp://[fd00::1]:2376", EngineTransport.Tcp, null, "fd00::1", 2376, null)]
    [InlineData("ssh://host-1.example.org", EngineTransport.Ssh, null, "host-1.example.org", 0, null)]
    [InlineData("ssh://host-1/", EngineTransport.Ssh, null, "host-1", 0, null)]
    [InlineData("ssh://Web_1", EngineTransport.Ssh, null, "Web_1", 0, null)]
    [InlineData("ssh://deploy@10.0.0.1:2222", EngineTransport.Ssh, "deploy", "10.0.0.1", 2222, null)]
    [InlineData("ssh://_d.e-p@[fd00::1]:22/run/user/1000/docker.sock", EngineTransport.Ssh, "_d.e-p", "fd00::1", 22, "/run/user/1000/docker.sock")]
    internal void What_an_endpoint_says_is_taken_apart(string endpoint, EngineTransport transport, string? user, string host, int port, string? socket) =>
        Assert.Equal(new EngineEndpoint(transport, host, port, socket, user), EngineEndpoint.Parse(endpoint));

    [Theory]
    [InlineData("/run/docker.sock", "it must be unix:///path/to/socket, tcp://host:port or ssh://user@host")]
    [InlineData("http://10.0.0.1", "it must be unix:///path/to/socket, tcp://host:port or ssh://user@host")]
    [InlineData("tcp://10.0.0.1", "it must be unix:///path/to/socket, tcp://host:port or ssh://user@host")]
    [InlineData("SSH://host", "it must be unix:///path/to/socket, tcp://host:port or ssh://user@host")]
    [InlineData("ssh://", "the host ''")]
    [InlineData("ssh://user@", "the host ''")]
    [InlineData("ssh://-oProxyCommand=touch", "the host '-oProxyCommand=touch'")]
    [InlineData("ssh://user@-v", "the host '-v'")]
    [InlineData("ssh://a b", "the host 'a b'")]
    [InlineData("ssh://host\n", "the host 'host")]
    [InlineData("ssh://fd00::1", "the host 'fd00::1'")]
    [InlineData("ssh://-l@host", "the user '-l'")]
    [InlineData("ssh://a b@host", "the user 'a b'")]
    [InlineData("ssh://@host", "the user ''")]
    [InlineData("ssh://host:0", "the port 0")]
    [InlineData("ssh://host:65536", "the port 65536")]
    [InlineData("ssh://host:ssh", "the host 'host:ssh'")]
    [InlineData("ssh://host/run/docker.sock;reboot", "the path '/run/docker.sock;reboot'")]
    [InlineData("ssh://host/$(reboot)", "the path '/$(reboot)'")]
    [InlineData("ssh://host/a b", "the path '/a b'")]
    [InlineData("ssh://host?a=b", "a query or a fragment")]
    [InlineData("ssh://host#a", "a query or a fragment")]
    public void What_is_no_endpoint_is_told(string endpoint, string why)
    {
        var failure = Assert.Throws<EngineException>(() => EngineEndpoint.Parse(endpoint));

        Assert.Equal(EngineFailure.Incompatible, failure.Failure);
        Assert.StartsWith("spec.endpoint ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_is_refused_and_not_repeated()
    {
        var failure = Assert.Throws<EngineException>(() => EngineEndpoint.Parse("ssh://root:hunter2@host"));

        Assert.Contains("a password", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix:///run/docker.sock", "/run/docker.sock")]
    [InlineData("tcp://[fd00::1]:2376", "[fd00::1]:2376")]
    [InlineData("ssh://deploy@[fd00::1]:22/run/docker.sock", "ssh://deploy@[fd00::1]:22/run/docker.sock")]
    [InlineData("ssh://Host/", "ssh://Host")]
    public void An_endpoint_is_named_as_people_know_it(string endpoint, string name) => Assert.Equal(name, EngineEndpoint.Parse(endpoint).ToString());
}
