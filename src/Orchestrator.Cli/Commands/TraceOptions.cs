using System.CommandLine;
using System.CommandLine.Parsing;
using Orchestrator.Proxy;

namespace Orchestrator.Cli.Commands;

/// <summary>Where a proxy sends its spans. What is not said on the command line is what OpenTelemetry's variables of the environment say.</summary>
internal sealed class TraceOptions
{
    private const string EndpointName = "otlp-endpoint";
    private const string ProtocolName = "otlp-protocol";
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";
    private const string Grpc = "grpc";
    private const string HttpProtobuf = "http/protobuf";

    /// <summary>Registered for OTLP in HTTP.</summary>
    private const int HttpPort = 4318;

    private readonly Option<Uri?> _endpoint;
    private readonly Option<OtlpProtocol?> _protocol;

    /// <param name="prefix">Of the options' names, such as <c>--proxy-</c>.</param>
    public TraceOptions(string prefix)
    {
        _endpoint = new(prefix + EndpointName)
        {
            Description = $"An OTLP receiver, such as http://127.0.0.1:4317, that gets spans of requests and of their tries at replicas. Default: ${EndpointVariable}, else none.",
            HelpName = "URL",
            CustomParser = result => Read(result, EndpointOf),
        };
        _protocol = new(prefix + ProtocolName)
        {
            Description = $"What the OTLP receiver speaks. Default: ${ProtocolVariable}, else {HttpProtobuf} at port {HttpPort}, else {Grpc}.",
            HelpName = $"{Grpc}|{HttpProtobuf}",
            CustomParser = result => Read(result, ProtocolOf),
        };
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_endpoint);
        command.Options.Add(_protocol);
    }

    public ProxyOptions Apply(ParseResult line, ProxyOptions options) => Receiver(line) is (var endpoint, var protocol)
        ? options with { OtlpEndpoint = endpoint, OtlpProtocol = protocol }
        : options;

    /// <summary>What was said, here or by the environment, as words for <c>orc proxy</c>.</summary>
    public IEnumerable<string> Words(ParseResult line) => Receiver(line) is (var endpoint, var protocol)
        ? ["--" + EndpointName, endpoint.AbsoluteUri, "--" + ProtocolName, protocol == OtlpProtocol.Grpc ? Grpc : HttpProtobuf]
        : [];

    /// <exception cref="CommandException">A variable says what cannot be.</exception>
    private (Uri Endpoint, OtlpProtocol Protocol)? Receiver(ParseResult line)
    {
        if ((line.GetValue(_endpoint) ?? FromEnvironment(EndpointVariable, EndpointOf)) is not { } endpoint)
        {
            return null;
        }

        return (endpoint, line.GetValue(_protocol) ?? FromEnvironment(ProtocolVariable, ProtocolOf)
            ?? (endpoint.Port == HttpPort ? OtlpProtocol.HttpProtobuf : OtlpProtocol.Grpc));
    }

    private static Uri? EndpointOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? url
            : throw new FormatException($"\"{text}\" is no http or https URL such as http://127.0.0.1:4317");

    private static OtlpProtocol? ProtocolOf(string text) => text switch
    {
        Grpc => OtlpProtocol.Grpc,
        HttpProtobuf => OtlpProtocol.HttpProtobuf,
        _ => throw new FormatException($"\"{text}\" is neither {Grpc} nor {HttpProtobuf}"),
    };

    private static T? Read<T>(ArgumentResult result, Func<string, T?> parse)
    {
        try
        {
            return parse(result.Tokens[^1].Value);
        }
        catch (FormatException failure)
        {
            result.AddError($"{(result.Parent as OptionResult)?.Option.Name}: {failure.Message}");
            return default;
        }
    }

    private static T? FromEnvironment<T>(string variable, Func<string, T?> parse)
    {
        try
        {
            // An empty one counts as not set (OpenTelemetry's specification).
            return Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? parse(text) : default;
        }
        catch (FormatException failure)
        {
            throw CommandException.Usage($"${variable}: {failure.Message}");
        }
    }
}
