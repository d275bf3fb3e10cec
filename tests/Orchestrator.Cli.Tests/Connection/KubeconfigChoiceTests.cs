using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Tests.Connection;

public sealed class KubeconfigChoiceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _environment = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_there_is_in_order_is_taken()
    {
        var (option, variable, local, usual) = (Make("option"), Make("variable"), Make("data/admin.kubeconfig"), Make("home/.kube/config"));

        _environment["KUBECONFIG"] = variable;
        Assert.Equal([option], Find(option).Files);
        Assert.Equal([variable], Find(null).Files);
        _environment.Clear();
        Assert.Equal([local], Find(null).Files);
        File.Delete(local);
        Assert.Equal([usual], Find(null).Files);
        File.Delete(usual);
        _environment["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
        Assert.True(Find(null).InCluster);
    }

    [Fact]
    public void A_list_in_the_variable_is_taken_whole_without_what_is_not_there()
    {
        var (one, two) = (Make("one"), Make("two"));
        _environment["KUBECONFIG"] = $"{one}:{_folder["none"]}:{two}";

        Assert.Equal([one, two], Find(null).Files);
    }

    [Theory]
    [InlineData("option", "--kubeconfig")]
    [InlineData("variable", "$KUBECONFIG")]
    [InlineData("nothing", "no kubeconfig found")]
    public void What_is_missing_is_told_with_what_to_do(string which, string message)
    {
        _environment["KUBECONFIG"] = which == "variable" ? _folder["none"] : "";

        var failure = Assert.Throws<CommandException>(() => Find(which == "option" ? _folder["none"] : null));

        Assert.Equal(ExitCodes.Unreachable, failure.ExitCode);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: [")]
    [InlineData("apiVersion: v1\nkind: Config\n")]
    [InlineData("apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: []\nclusters: []\nusers: []\n")]
    public void A_broken_file_is_named(string content)
    {
        var file = Make("broken", content);

        var failure = Assert.Throws<CommandException>(() => Find(file).Load(null));

        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_are_merged_and_paths_are_seen_from_where_each_lies()
    {
        using var ca = System.Security.Cryptography.ECDsa.Create();
        var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=ca", ca, System.Security.Cryptography.HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        Make("two/keys/ca.pem", certificate.ExportCertificatePem());
        _environment["KUBECONFIG"] = $"{Make("one/config", """
            apiVersion: v1
            kind: Config
            current-context: here
            contexts:
            - {name: here, context: {cluster: there, user: me, namespace: shop}}
            users:
            - name: me
              user: {token: first}
            """)}:{Make("two/config", """
            apiVersion: v1
            kind: Config
            current-context: not this
            preferences: {}
            clusters:
            - name: there
              cluster: {server: "https://api.example:6443", certificate-authority: keys/ca.pem, tls-server-name: api}
            users:
            - {name: me, user: {token: second}}
            """)}";

        var configuration = Find(null).Load(null);

        Assert.Equal(("https://api.example:6443", "api", "first", "shop"), (configuration.Host, configuration.TlsServerName, configuration.AccessToken, configuration.Namespace));
        Assert.Equal(certificate.RawData, Assert.Single(configuration.SslCaCerts).RawData);
    }

    private KubeconfigChoice Find(string? option) =>
        KubeconfigChoice.Find(option, name => _environment.GetValueOrDefault(name), _folder["data"], _folder["home"]);

    private string Make(string name, string content = "")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], content);
        return _folder[name];
    }
}
