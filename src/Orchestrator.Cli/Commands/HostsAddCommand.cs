using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Waiting;
using Orchestrator.HostAgent.Engines;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// Adds a Docker host: tries its engine first, and says exactly what is wrong if it cannot be used; then stores its TLS files or ssh key as a
/// Secret and the DockerHost. Leaves nothing behind when it fails. A host that was added is one that replicas can go to: waits for that.
/// </summary>
internal sealed class HostsAddCommand : ApiCommand, IHasExamples
{
    /// <summary>Its engine has just answered: what takes longer is a trouble to be told.</summary>
    private const string DefaultTimeout = "1m";

    private const string Query = "?fieldManager=orc&fieldValidation=Strict";

    private readonly Argument<string> _name = new("NAME") { Description = "Name of the host: lower-case letters, digits and dashes." };
    private readonly Option<string?> _endpoint = new("--endpoint", "-e") { Description = "Where its engine listens: unix:///path, tcp://host:port, or ssh://user@host[:port][/path] through ssh and the docker of that machine.", HelpName = "URL" };
    private readonly Option<string?> _context = new("--docker-context") { Description = "Take endpoint and TLS files from this context of Docker's own client ($DOCKER_CONFIG, ~/.docker).", HelpName = "NAME" };
    private readonly HostTlsOptions _tls = new();
    private readonly HostSshOptions _ssh = new();
    private readonly Option<string?> _publish = new("--publish-address") { Description = "The host's own address that containers publish on. Default: the endpoint's host; 127.0.0.1 for a unix socket.", HelpName = "ADDRESS" };
    private readonly Option<string?> _address = new("--address") { Description = "Where proxies reach the published ports, if that is another address (NAT). Default: the publish address.", HelpName = "ADDRESS" };
    private readonly Option<string[]> _labels = new("--label") { Description = "A label to place apps by, such as zone=a. Repeatable.", HelpName = "KEY=VALUE" };
    private readonly Option<string?> _ports = new("--port-range") { Description = $"Host ports for containers. Default: {PortRange.DefaultFirst}-{PortRange.DefaultLast}.", HelpName = "FIRST-LAST" };
    private readonly Option<bool> _noCheck = new("--no-check") { Description = "Add it without trying its engine first, nor waiting for it." };
    private readonly Option<bool> _noWait = new("--no-wait") { Description = "Do not wait until it takes replicas." };
    private readonly Option<TypedDuration> _timeout = CommonOptions.Timeout("--timeout", "How long to wait, such as 90s or 2m.", DefaultTimeout);

    public HostsAddCommand()
        : base("add", "Add a Docker host.", namespaced: false)
    {
        Arguments.Add(_name);
        Options.Add(_endpoint);
        Options.Add(_context);
        _tls.AddTo(this);
        _ssh.AddTo(this);
        Options.Add(_publish);
        Options.Add(_address);
        Options.Add(_labels);
        Options.Add(_ports);
        Options.Add(_noCheck);
        Options.Add(_noWait);
        Options.Add(_timeout);
    }

    public IReadOnlyList<string> Examples =>
    [
        "orc hosts add local --endpoint unix:///var/run/docker.sock",
        "orc hosts add host1 --endpoint tcp://10.0.0.11:2376 --tls-dir ~/.docker/host1 --label zone=a",
        "orc hosts add host2 --endpoint ssh://deploy@host2.example.org",
        "orc hosts add host3 --endpoint ssh://deploy@host3.example.org --ssh-key ./host3 --ssh-known-hosts ./host3.known",
        "orc hosts add host4 --docker-context production",
    ];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var name = line.GetValue(_name)!;
        var (hosts, secrets) = (await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken), await session.Kinds.FindAsync("v1", "Secret", cancellationToken));
        var (endpoint, secret) = EngineOf(line, name);
        RequireEndpoint(endpoint, secret);
        var host = HostOf(line, name, endpoint, (string?)secret?["metadata"]?["name"]);
        await RequireNewAsync(session, hosts, name, cancellationToken);
        WarnOfPlainTcp(session, host);
        host.Spec.PublishAddress ??= await ResolveAsync(host.Spec.Endpoint, session, cancellationToken);
        var facts = line.GetValue(_noCheck) ? null : await CheckAsync(session, host, secret, cancellationToken);

        // The server has the last word on the host before the first thing is stored.
        var manifest = JsonNode.Parse(KubernetesJson.Serialize(host))!.AsObject();
        await session.Api.SendAsync(HttpMethod.Post, hosts.Path(null, null) + Query + "&dryRun=All", manifest, ApiConnection.Json, cancellationToken);
        if (secret is not null)
        {
            await StoreAsync(session, secrets, secret, cancellationToken);
        }

        try
        {
            await session.Api.SendAsync(HttpMethod.Post, hosts.Path(null, null) + Query, manifest, ApiConnection.Json, cancellationToken);
        }
        catch (ApiException) when (secret is not null)
        {
            await HostSecrets.DeleteAsync(session, name, cancellationToken);
            throw;
        }

        session.Terminal.Out.WriteLine($"{hosts.Label}/{name} created{(facts is null ? "" : $" ({Describe(facts)})")}");
        if (facts is not null && !line.GetValue(_noWait))
        {
            await new Waiter(session, line.GetValue(_timeout).Span).UntilReadyAsync([new(hosts, null, name)], cancellationToken);
        }

        return ExitCodes.Done;
    }

    /// <summary>
    /// From the options, or all of it from a context: a mixture of both would be trusted by accident. A context by ssh has no key of its own.
    /// </summary>
    private (string Endpoint, JsonObject? Secret) EngineOf(ParseResult line, string name)
    {
        var (secret, ssh) = (_tls.ReadSecret(line, name), _ssh.ReadSecret(line, name));
        if (secret is not null && ssh is not null)
        {
            throw CommandException.Usage("TLS files are for tcp endpoints, --ssh-key is for ssh endpoints: give one of both");
        }

        switch (line.GetValue(_endpoint), line.GetValue(_context))
        {
            case ({ } endpoint, null):
                return (endpoint, secret ?? ssh);
            case (null, { } context) when secret is null:
                var (host, tls) = DockerContexts.OfUser().Read(context);
                return (host, ssh is null && tls is var (authority, certificate, key) ? HostSecrets.OfTls(name, authority, certificate, key) : ssh);
            case (null, null):
                throw CommandException.Usage("where is the engine? Give --endpoint unix:///path, tcp://host:port or ssh://user@host, or --docker-context NAME");
            default:
                throw CommandException.Usage("--docker-context has endpoint and TLS files: it goes with none of --endpoint, --tls-dir, --tls-ca, --tls-cert, --tls-key");
        }
    }

    private DockerHost HostOf(ParseResult line, string name, string endpoint, string? secretName) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = Labels(line.GetValue(_labels) ?? []) },
        Spec = new DockerHostSpec
        {
            Endpoint = endpoint,
            TlsSecretName = secretName == HostSecrets.NameForTls(name) ? secretName : null,
            SshSecretName = secretName == HostSecrets.NameForSsh(name) ? secretName : null,
            PublishAddress = line.GetValue(_publish),
            Address = line.GetValue(_address),
            PortRange = line.GetValue(_ports) is { } ports ? Range(ports) : null,
        },
    };

    private static async Task RequireNewAsync(Session session, ResourceKind hosts, string name, CancellationToken cancellationToken)
    {
        try
        {
            await session.Api.GetAsync(hosts.Path(null, name), cancellationToken);
        }
        catch (NotFoundException)
        {
            return;
        }

        throw CommandException.Failed($"there is a host {name} already; `orc hosts remove {name}` takes it out, `orc apply` changes it");
    }

    // Before anything is asked or stored: also what is added unchecked must be an endpoint.
    private static void RequireEndpoint(string endpoint, JsonObject? secret)
    {
        try
        {
            EngineCheck.RequireEndpoint(endpoint);
        }
        catch (EngineException failure)
        {
            throw CommandException.Usage(failure.Message);
        }

        var isForSsh = (string?)secret?["type"] == HostSecrets.SshType;
        if (secret is not null && !endpoint.StartsWith(isForSsh ? "ssh://" : "tcp://", StringComparison.Ordinal))
        {
            throw CommandException.Usage(isForSsh
                ? $"{endpoint} takes no --ssh-key: it is for ssh endpoints"
                : $"{endpoint} takes no TLS files: they are for tcp endpoints");
        }
    }

    /// <summary>Containers publish on an address; an endpoint may be a name, of ssh one that only its configuration knows.</summary>
    /// <returns>Null when the endpoint says it itself.</returns>
    private static async Task<string?> ResolveAsync(string endpoint, Session session, CancellationToken cancellationToken)
    {
        if (await EngineAddress.HostAsync(endpoint, cancellationToken) is not { } host
            || (IPAddress.TryParse(host, out _) && endpoint.Contains(host, StringComparison.OrdinalIgnoreCase)))
        {
            return null;
        }

        try
        {
            var address = (await Dns.GetHostAddressesAsync(host, cancellationToken))[0].ToString();
            session.Terminal.Note($"Containers will publish on {address}, which is {new Uri(endpoint).Host}; --publish-address says otherwise.");
            return address;
        }
        catch (SocketException failure)
        {
            throw CommandException.Failed($"the name {host} cannot be resolved: {failure.Message}. Give --publish-address, or an address as the endpoint");
        }
    }

    private static void WarnOfPlainTcp(Session session, DockerHost host)
    {
        if (host.Spec.TlsSecretName is null && Uri.TryCreate(host.Spec.Endpoint, UriKind.Absolute, out var endpoint) && endpoint is { Scheme: "tcp", IsLoopback: false })
        {
            session.Terminal.Warn($"{endpoint.Authority} without TLS: whoever reaches that port is root on the host; give --tls-dir, or --tls-ca, --tls-cert and --tls-key");
        }
    }

    private static async Task<EngineFacts> CheckAsync(Session session, DockerHost host, JsonObject? secret, CancellationToken cancellationToken)
    {
        try
        {
            var content = secret is null ? null : KubernetesJson.Deserialize<V1Secret>(secret.ToJsonString());
            return await EngineCheck.RunAsync(host, content, session.Time, cancellationToken);
        }
        catch (EngineException failure)
        {
            throw new CommandException(
                ExitCodes.Failed,
                $"the engine of {host.Metadata.Name} cannot be used: {failure.Message} (nothing was added; --no-check adds it all the same)",
                failure);
        }
    }

    private static async Task StoreAsync(Session session, ResourceKind secrets, JsonObject secret, CancellationToken cancellationToken)
    {
        var namespaces = await session.Kinds.FindAsync("v1", "Namespace", cancellationToken);
        try
        {
            await session.Api.GetAsync(namespaces.Path(null, ApiGroup.SystemNamespace), cancellationToken);
        }
        catch (NotFoundException)
        {
            var system = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ApiGroup.SystemNamespace } };
            await session.Api.SendAsync(HttpMethod.Post, namespaces.Path(null, null), system, ApiConnection.Json, cancellationToken);
        }

        try
        {
            await session.Api.SendAsync(HttpMethod.Post, secrets.Path(ApiGroup.SystemNamespace, null) + Query, secret, ApiConnection.Json, cancellationToken);
        }
        catch (AlreadyExistsException)
        {
            // Left by a host of this name: its files are the ones that were given now.
            var name = (string)secret["metadata"]!["name"]!;
            await session.Api.SendAsync(HttpMethod.Patch, secrets.Path(ApiGroup.SystemNamespace, name) + Query, HostSecrets.ChangeTo(secret), ApiConnection.MergePatch, cancellationToken);
        }
    }

    private static Dictionary<string, string>? Labels(string[] labels)
    {
        var found = new Dictionary<string, string>();
        foreach (var label in labels)
        {
            if (label.Split('=', 2) is not [{ Length: > 0 } key, var value] || !found.TryAdd(key, value))
            {
                throw CommandException.Usage($"--label {label}: a label is KEY=VALUE, each key once");
            }
        }

        return found.Count == 0 ? null : found;
    }

    private static PortRange Range(string text) =>
        text.Split('-') is [var first, var last] && ushort.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
        && ushort.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to) && from is > 0 && from <= to
            ? new PortRange { First = from, Last = to }
            : throw CommandException.Usage($"--port-range {text}: a range is FIRST-LAST, such as 20000-29999");

    private static string Describe(EngineFacts facts) => string.Create(
        CultureInfo.InvariantCulture,
        $"Docker {facts.EngineVersion}, API {facts.ApiVersion}, {facts.OperatingSystem}, {facts.Processors} CPU, {facts.MemoryBytes / 1024.0 / 1024 / 1024:0.#} GiB");
}
