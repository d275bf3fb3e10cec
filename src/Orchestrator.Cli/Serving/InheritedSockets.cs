using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// Sockets that a service manager listens on and hands over as it starts this process (sd_listen_fds(3)): they are there before the process and
/// after it, so that connections made while it restarts wait instead of being refused.
/// </summary>
/// <param name="Http">For plain requests; null: none.</param>
/// <param name="Https">For TLS; null: none.</param>
/// <param name="Admin">For metrics and health; null: none.</param>
internal sealed record InheritedSockets(Socket? Http, Socket? Https, Socket? Admin)
{
    private const string ProcessVariable = "LISTEN_PID";
    private const string CountVariable = "LISTEN_FDS";
    private const string NamesVariable = "LISTEN_FDNAMES";
    private const string HttpName = "http";
    private const string HttpsName = "https";
    private const string AdminName = "admin";

    private const string NoSocket = "is no TCP socket";

    /// <summary>The first descriptor; the others follow.</summary>
    private const int First = 3;

    // sys/socket.h, Linux.
    private const int SolSocket = 1;
    private const int SoAcceptConnections = 30;

    public IEnumerable<Socket> All => new[] { Http, Https, Admin }.OfType<Socket>();

    /// <summary>Takes them, once: neither their variables nor they themselves go to processes that this one starts.</summary>
    /// <exception cref="CommandException">What was handed over is not what it should be; the message says what is wrong with it.</exception>
    public static InheritedSockets Take()
    {
        // Variables that are meant for another process came along by accident.
        if (Take(ProcessVariable) != Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
        {
            return new(null, null, null);
        }

        var (said, names) = (Take(CountVariable), Take(NamesVariable)?.Split(':'));
        if (!int.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > 3)
        {
            throw CommandException.Usage($"{CountVariable}: \"{said}\" is no number of sockets from 1 to 3: {HttpName}, {HttpsName} and {AdminName} (with BindIPv6Only=both one socket takes IPv4 too)");
        }

        // Who says no names hands over one, for requests.
        names ??= count == 1 ? [HttpName] : throw CommandException.Usage($"{CountVariable} is {count} and {NamesVariable} is not set: name them {HttpName}, {HttpsName} or {AdminName} (FileDescriptorName=)");
        if (names.Length != count)
        {
            throw CommandException.Usage($"{NamesVariable}: there are {names.Length} names for {count} sockets");
        }

        var sockets = new Dictionary<string, Socket>();
        for (var i = 0; i < count; i++)
        {
            if (names[i] is not (HttpName or HttpsName or AdminName))
            {
                throw CommandException.Usage($"{NamesVariable}: no socket is called \"{names[i]}\" here, but {HttpName}, {HttpsName} and {AdminName} (FileDescriptorName=)");
            }

            if (!sockets.TryAdd(names[i], Listening(First + i, names[i])))
            {
                throw CommandException.Usage($"{NamesVariable}: two sockets are called {names[i]}; with BindIPv6Only=both one takes IPv4 too");
            }
        }

        return new(sockets.GetValueOrDefault(HttpName), sockets.GetValueOrDefault(HttpsName), sockets.GetValueOrDefault(AdminName));
    }

    private static string? Take(string variable)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, null);
        return value;
    }

    private static Socket Listening(int descriptor, string name)
    {
        if (Native.SetDescriptorFlags(descriptor, Native.SetFlags, Native.CloseOnExecFlag) < 0)
        {
            throw Wrong("is not open");
        }

        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        try
        {
            var socket = new Socket(handle);
            return socket is not { SocketType: SocketType.Stream, LocalEndPoint: IPEndPoint } ? throw Wrong(NoSocket)
                : !IsListening(socket) ? throw Wrong("does not listen (Accept= has to be no)")
                : socket;
        }
        catch (SocketException)
        {
            throw Wrong(NoSocket);
        }
        catch (CommandException)
        {
            // What it is, is not ours to close.
            handle.SetHandleAsInvalid();
            throw;
        }

        CommandException Wrong(string what) => CommandException.Usage($"{CountVariable}: descriptor {descriptor}, for {name}, {what}");
    }

    private static bool IsListening(Socket socket)
    {
        Span<byte> value = stackalloc byte[sizeof(int)];
        socket.GetRawSocketOption(SolSocket, SoAcceptConnections, value);
        return BitConverter.ToInt32(value) == 1;
    }
}
