using static TorchSharp.torch;

namespace JepaSharp.Tests;

public sealed class NativeLibtorchTests
{
    [Fact]
    public void Libtorch_OnThisMachine_MultipliesMatrices()
    {
        JepaSharp.Runtime.NativeLibtorch.Load();
        using var product = ones(2, 3).mm(ones(3, 2));
        Assert.Equal(3f, product[0, 0].item<float>());
    }
}
