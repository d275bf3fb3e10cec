using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Cli.Serving;

/// <summary>Tells a service manager that asks for it (Type=notify) how far this process is (sd_notify(3)).</summary>
internal static class ServiceManager
{
    public const string Ready = "READY=1";
    public const string Stopping = "STOPPING=1";

    public static void Tell(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path)
        {
            return;
        }

        // A name that begins with @ is an abstract one.
        var address = new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(state), address);
        }
        catch (SocketException)
        {
            // The manager has gone: there is nobody to tell.
        }
    }
}
