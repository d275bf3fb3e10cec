using System.CommandLine;
using System.Globalization;
using System.Net;

namespace Orchestrator.Cli.Serving;

/// <summary>Addresses to listen on, as they are typed: <c>127.0.0.1:9180</c>, <c>[::]:8080</c>, <c>:8080</c> or <c>8080</c> (all addresses), <c>none</c>.</summary>
internal static class Endpoints
{
    public const string None = "none";

    /// <summary>Any address of both kinds.</summary>
    public static readonly IPAddress All = IPAddress.IPv6Any;

    /// <returns>Null when it is no such text.</returns>
    public static IPEndPoint? Parse(string text)
    {
        var bare = text.StartsWith(':') ? text[1..] : text;
        if (ushort.TryParse(bare, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return new IPEndPoint(All, port);
        }

        // Without the colon IPEndPoint would take a bare address, with port 0.
        return text.LastIndexOf(':') > text.LastIndexOf(']') && IPEndPoint.TryParse(text, out var endpoint) ? endpoint : null;
    }

    /// <param name="optional">Whether <c>none</c> is an answer.</param>
    public static Option<ListenAddress> Option(string name, string description, string fallback, bool optional) => new(name)
    {
        Description = description,
        HelpName = optional ? "ADDRESS:PORT|none" : "ADDRESS:PORT",
        DefaultValueFactory = _ => new(Parse(fallback)),
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (optional && text == None)
            {
                return default;
            }

            if (Parse(text) is { } endpoint)
            {
                return new(endpoint);
            }

            result.AddError($"{name}: \"{text}\" is no address such as 127.0.0.1:9180, [::]:8080 or :8080");
            return default;
        },
    };

    /// <summary>By which port users reach a proxy's TLS listener.</summary>
    public static Option<int?> HttpsPort(string name, string listen) => new(name)
    {
        Description = $"The port by which users reach {listen}, if it is another, as behind a port mapping: plain requests are sent there. Default: the same.",
        HelpName = "PORT",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
            {
                return port;
            }

            result.AddError($"{name}: \"{text}\" is no port: 1 to {IPEndPoint.MaxPort}");
            return null;
        },
    };

    /// <summary>For people and browsers: the unspecified address is shown as this machine's.</summary>
    public static string Url(string scheme, IPEndPoint endpoint) =>
        $"{scheme}://{(endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.Loopback, endpoint.Port) : endpoint)}";
}
