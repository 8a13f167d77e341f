using JepaSharp.Runtime;
using TorchSharp;

namespace JepaSharp.Tests.Runtime;

public sealed class TorchBackendTests
{
    [Theory]
    [InlineData("auto", 0, DeviceType.CPU, -1)]
    [InlineData("auto", 2, DeviceType.CUDA, 0)]
    [InlineData("cpu", 2, DeviceType.CPU, -1)]
    [InlineData("cuda", 2, DeviceType.CUDA, 0)]
    [InlineData("cuda:1", 2, DeviceType.CUDA, 1)]
    public void Device_ThatExists_IsChosen(string choice, int devices, DeviceType type, int index)
    {
        var device = TorchBackend.ChooseDevice(choice, devices);
        Assert.Equal((type, index), (device.type, device.index));
    }

    [Theory]
    [InlineData("cuda", 0, "no CUDA device")]
    [InlineData("cuda:2", 2, "cuda:0 to cuda:1")]
    [InlineData("cuda:-1", 2, "not known")]
    [InlineData("cuda:", 2, "not known")]
    [InlineData("gpu", 2, "not known")]
    [InlineData("", 0, "not known")]
    public void Device_ThatDoesNotExist_IsRefusedInWords(string choice, int devices, string said)
    {
        var e = Assert.Throws<JepaException>(() => TorchBackend.ChooseDevice(choice, devices));
        Assert.True(e.IsUsage);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Precision_ThatIsNotKnown_IsRefused() =>
        Assert.True(Assert.Throws<JepaException>(() => TorchBackend.ParsePrecision("fp64")).IsUsage);

    [Fact]
    public void Memory_InNestedControlGroups_IsTheTightestLimitWithoutCaches()
    {
        using var root = new TemporaryFolder();
        var inner = Directory.CreateDirectory(root["user/job"]).FullName;
        Write(inner, "max", "900");
        Write(root["user"], "4000", "3000", "anon 10\ninactive_file 500\n");
        var limits = MachineMemory.LimitsOf(root.Path, "0::/user/job\n").ToList();
        Assert.Equal([(4000L, 2500L)], limits);
        Assert.Equal(new MachineMemory(4000, 1500, true), MachineMemory.WithLimits(new MachineMemory(9000, 8000, false), limits));
        Assert.Equal(new MachineMemory(3000, 100, false), MachineMemory.WithLimits(new MachineMemory(3000, 100, false), limits));

        static void Write(string folder, string limit, string used, string stat = "")
        {
            File.WriteAllText(Path.Combine(folder, "memory.max"), limit + "\n");
            File.WriteAllText(Path.Combine(folder, "memory.current"), used + "\n");
            File.WriteAllText(Path.Combine(folder, "memory.stat"), stat);
        }
    }
}
