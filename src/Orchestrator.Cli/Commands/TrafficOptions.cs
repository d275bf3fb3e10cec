using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy;

namespace Orchestrator.Cli.Commands;

/// <summary>How a proxy takes requests and tells of them: options of <c>orc proxy</c>, and of <c>orc serve</c>, which passes them on.</summary>
internal sealed partial class TrafficOptions
{
    private const string TrustedProxies = "trusted-proxies";
    private const string AccessLogFormatName = "access-log-format";
    private const string AccessLogSample = "access-log-sample";
    private const string AcceptProxyProtocol = "accept-proxy-protocol";
    private const string Forwarded = "forwarded";
    private const string NoRequestIds = "no-request-ids";
    private const string BeginTraces = "begin-traces";
    private const string Zone = "zone";
    private const string MinBodyRate = "min-body-rate";
    private const string Json = "json";
    private const string Combined = "combined";
    private const int LongestLabelValue = 63;

    private readonly Option<IReadOnlyList<IPNetwork>> _trusted;
    private readonly Option<AccessLogFormat> _accessLogFormat;
    private readonly Option<double> _accessLogSample;
    private readonly Option<bool> _acceptProxyProtocol;
    private readonly Option<bool> _forwarded;
    private readonly Option<bool> _noRequestIds;
    private readonly Option<bool> _beginTraces;
    private readonly Option<string?> _zone;
    private readonly Option<int> _minBodyRate;
    private readonly TraceOptions _traces;

    /// <param name="prefix">Of the options' names, such as <c>--proxy-</c>.</param>
    public TrafficOptions(string prefix)
    {
        _trusted = Networks(prefix + TrustedProxies, "Networks of proxies in front, such as 10.0.0.0/8,192.0.2.7: what they say of the client and its request counts. Default: none.");
        _accessLogFormat = new(prefix + AccessLogFormatName) { Description = "How the access log tells of a request.", HelpName = "json|combined", CustomParser = FormatOf };
        _accessLogSample = new(prefix + AccessLogSample)
        {
            Description = "The share of requests that the access log has, 0 to 1; errors (400 and more) are always there.",
            HelpName = "SHARE",
            DefaultValueFactory = _ => 1,
            CustomParser = ShareOf,
        };
        _acceptProxyProtocol = new(prefix + AcceptProxyProtocol) { Description = $"Connections from {prefix}{TrustedProxies} begin with a PROXY protocol header, version 1 or 2." };
        _forwarded = new(prefix + Forwarded) { Description = "Tell replicas of the client in Forwarded (RFC 7239) too, beside X-Forwarded-For, -Proto and -Host." };
        _noRequestIds = new(prefix + NoRequestIds) { Description = "Give requests no X-Request-Id." };
        _beginTraces = new(prefix + BeginTraces) { Description = "Give requests that are in no trace a traceparent (W3C). Those that are stay in it." };
        _zone = new(prefix + Zone)
        {
            Description = $"Where the proxy is, as hosts say it by their label {TopologyKeys.Zone}: apps whose route has trafficDistribution PreferSameZone are served by replicas of it first. Default: nowhere in particular.",
            HelpName = "ZONE",
            CustomParser = ZoneOf,
        };
        _minBodyRate = new(prefix + MinBodyRate)
        {
            Description = "Bytes a second at which a request's body has to come, after a minute's grace and until its answer begins: else it is 408. 0: however slowly.",
            HelpName = "BYTES",
            DefaultValueFactory = _ => ProxyOptions.DefaultMinBodyRate,
            CustomParser = RateOf,
        };
        _traces = new(prefix);
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_accessLogFormat);
        command.Options.Add(_accessLogSample);
        command.Options.Add(_trusted);
        command.Options.Add(_acceptProxyProtocol);
        command.Options.Add(_forwarded);
        command.Options.Add(_noRequestIds);
        command.Options.Add(_beginTraces);
        command.Options.Add(_zone);
        command.Options.Add(_minBodyRate);
        _traces.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_acceptProxyProtocol) && result.GetValue(_trusted) is not { Count: > 0 })
            {
                result.AddError($"{_acceptProxyProtocol.Name} goes with {_trusted.Name}: from anybody else it would be a way to choose one's address");
            }
        });
    }

    public ProxyOptions Apply(ParseResult line, ProxyOptions options) => _traces.Apply(line, options) with
    {
        AccessLogFormat = line.GetValue(_accessLogFormat),
        AccessLogSample = line.GetValue(_accessLogSample),
        TrustedProxies = line.GetValue(_trusted) ?? [],
        AcceptProxyProtocol = line.GetValue(_acceptProxyProtocol),
        Forwarded = line.GetValue(_forwarded),
        RequestIds = !line.GetValue(_noRequestIds),
        BeginTraces = line.GetValue(_beginTraces),
        Zone = line.GetValue(_zone),
        MinBodyRate = line.GetValue(_minBodyRate),
    };

    /// <summary>What was said, as words for <c>orc proxy</c>.</summary>
    public IEnumerable<string> Words(ParseResult line) =>
    [
        .. line.GetValue(_accessLogFormat) == AccessLogFormat.Combined ? ["--" + AccessLogFormatName, Combined] : Array.Empty<string>(),
        .. line.GetValue(_accessLogSample) is < 1 and var share
            ? ["--" + AccessLogSample, share.ToString("R", CultureInfo.InvariantCulture)]
            : Array.Empty<string>(),
        .. Networks(line, _trusted, TrustedProxies),
        .. Flag(line, _acceptProxyProtocol, AcceptProxyProtocol),
        .. Flag(line, _forwarded, Forwarded),
        .. Flag(line, _noRequestIds, NoRequestIds),
        .. Flag(line, _beginTraces, BeginTraces),
        .. line.GetValue(_zone) is { } zone ? ["--" + Zone, zone] : Array.Empty<string>(),
        .. line.GetValue(_minBodyRate) is var rate && rate != ProxyOptions.DefaultMinBodyRate
            ? ["--" + MinBodyRate, rate.ToString(CultureInfo.InvariantCulture)]
            : Array.Empty<string>(),
        .. _traces.Words(line),
    ];

    private static string[] Flag(ParseResult line, Option<bool> option, string name) => line.GetValue(option) ? ["--" + name] : [];

    private static string[] Networks(ParseResult line, Option<IReadOnlyList<IPNetwork>> option, string name) =>
        line.GetValue(option) is { Count: > 0 } networks ? ["--" + name, string.Join(',', networks)] : [];

    private static Option<IReadOnlyList<IPNetwork>> Networks(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "CIDR,…",
        DefaultValueFactory = _ => [],
        CustomParser = result =>
        {
            var networks = new List<IPNetwork>();
            foreach (var text in result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries)))
            {
                if (NetworkOf(text) is { } network)
                {
                    networks.Add(network);
                }
                else
                {
                    result.AddError($"{name}: \"{text}\" is no network such as 10.0.0.0/8 or fd00::/8, and no address");
                }
            }

            return networks;
        },
    };

    private static AccessLogFormat FormatOf(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (text is not (Json or Combined))
        {
            result.AddError($"{NameOf(result)}: \"{text}\" is neither {Json} nor {Combined}");
        }

        return text == Combined ? AccessLogFormat.Combined : AccessLogFormat.Json;
    }

    private static double ShareOf(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && share is >= 0 and <= 1)
        {
            return share;
        }

        result.AddError($"{NameOf(result)}: \"{text}\" is no share from 0 to 1, such as 0.1");
        return 1;
    }

    /// <summary>What no label can say, no host is in.</summary>
    private static string? ZoneOf(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (text.Length > LongestLabelValue || !LabelValue().IsMatch(text))
        {
            result.AddError($"{NameOf(result)}: \"{text}\" is no value of a label: at most {LongestLabelValue} letters, digits, - _ or ., the first and the last a letter or digit");
        }

        return text;
    }

    [GeneratedRegex("^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
    private static partial Regex LabelValue();

    private static int RateOf(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rate))
        {
            return rate;
        }

        result.AddError($"{NameOf(result)}: \"{text}\" is no number of bytes a second from 0 to {int.MaxValue}");
        return ProxyOptions.DefaultMinBodyRate;
    }

    private static string NameOf(ArgumentResult result) => (result.Parent as OptionResult)?.Option.Name ?? "";

    private static IPNetwork? NetworkOf(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : text.Contains('.', StringComparison.Ordinal) || text.Contains(':', StringComparison.Ordinal)
            ? IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8) : null
        : null;
}
