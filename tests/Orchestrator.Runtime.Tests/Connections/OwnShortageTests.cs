using System.Net.Sockets;
using Orchestrator.Runtime.Connections;

namespace Orchestrator.Runtime.Tests.Connections;

public sealed class OwnShortageTests
{
    [Theory]
    [InlineData(SocketError.TooManyOpenSockets, true)]
    [InlineData(SocketError.NoBufferSpaceAvailable, true)]
    [InlineData(SocketError.ConnectionRefused, false)]
    [InlineData(SocketError.HostUnreachable, false)]
    public void Only_what_we_lack_ourselves_says_nothing_about_the_replica(SocketError error, bool isOurs)
    {
        Assert.Equal(isOurs, OwnShortage.Explains(new SocketException((int)error)));
        Assert.Equal(isOurs, OwnShortage.Explains(new HttpRequestException("as a client tells it", new SocketException((int)error))));
    }
}
