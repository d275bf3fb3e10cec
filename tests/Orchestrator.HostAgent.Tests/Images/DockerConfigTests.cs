using System.Text;
using Orchestrator.Api;
using Orchestrator.HostAgent.Images;

namespace Orchestrator.HostAgent.Tests.Images;

public sealed class DockerConfigTests
{
    [Theory]
    [InlineData("registry.example.org", "registry.example.org/shop/web:v1", true)]
    [InlineData("https://registry.example.org", "registry.example.org/shop/web:v1", true)]
    [InlineData("registry.example.org:5000", "registry.example.org:5000/web", true)]
    [InlineData("registry.example.org", "registry.example.org:5000/web", false)]
    [InlineData("*.example.org", "registry.example.org/web", true)]
    [InlineData("*.example.org", "a.b.example.org/web", false)]
    [InlineData("registry.example.org/shop", "registry.example.org/shop/web", true)]
    [InlineData("registry.example.org/shop", "registry.example.org/shopping/web", false)]
    [InlineData("https://index.docker.io/v1/", "nginx", true)]
    [InlineData("docker.io", "bitnami/redis:7", true)]
    [InlineData("https://index.docker.io/v1/", "ghcr.io/nginx", false)]
    public void A_login_is_for_the_images_of_its_registry(string server, string image, bool isFor) =>
        Assert.Equal(isFor, For($$$$"""{"auths":{"{{{{server}}}}":{"username":"u","password":"p"}}}""", image).Count > 0);

    [Fact]
    public void The_encoded_form_is_read_and_a_password_may_hold_colons()
    {
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes("user:pass:word"));
        var login = Assert.Single(For($$$$"""{"auths":{"r.example.org":{"auth":"{{{{auth}}}}"}}}""", "r.example.org/web"));

        Assert.Equal(("user", "pass:word"), (login.User, login.Password));
    }

    [Fact]
    public void The_more_specific_login_comes_first() =>
        Assert.Equal(
            ["b", "a"],
            For("""{"auths":{"r.example.org":{"username":"a"},"r.example.org/shop":{"username":"b"}}}""", "r.example.org/shop/web").Select(login => login.User));

    [Theory]
    [InlineData("secret-text")]
    [InlineData("""{"auths":{"r.example.org":{"auth":"%%%secret-text"}}}""")]
    [InlineData("""{"auths":{"r.example.org":"secret-text"}}""")]
    public void What_is_malformed_is_told_without_being_quoted(string json)
    {
        var failure = Assert.Throws<FormatException>(() => DockerConfig.Parse(Encoding.UTF8.GetBytes(json)));
        Assert.DoesNotContain("secret-text", failure.ToString(), StringComparison.Ordinal);
    }

    private static List<HostAgent.Engines.RegistryCredentials> For(string json, string image) =>
        [.. DockerConfig.Parse(Encoding.UTF8.GetBytes(json)).For(ImageReference.Parse(image)!)];
}
