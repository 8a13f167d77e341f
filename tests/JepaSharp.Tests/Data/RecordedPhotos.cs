using System.Text.Json;
using JepaSharp.Data;
using JepaSharp.Weights;

namespace JepaSharp.Tests.Data;

/// <summary>Two photographs and what Pillow and torchvision make of them.</summary>
internal sealed class RecordedPhotos : IDisposable
{
    private readonly SafetensorsFile _recorded;
    private readonly string _folder = SharedFolder.Require("parity/preprocess");

    public RecordedPhotos()
    {
        _recorded = SafetensorsFile.Open(Path.Combine(_folder, "expected.safetensors"));
        Expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "expected.json"))).RootElement;
    }

    public JsonElement Expected { get; }

    public string PathOf(int photo) => Path.Combine(_folder, $"photo{photo}.jpg");

    public PixelBox CropOf(int photo)
    {
        var crop = Expected.GetProperty("photos")[photo].GetProperty("crop");
        return new PixelBox(
            crop.GetProperty("left").GetInt32(), crop.GetProperty("top").GetInt32(), crop.GetProperty("width").GetInt32(), crop.GetProperty("height").GetInt32());
    }

    public RgbImage Image(string name)
    {
        var tensor = _recorded.Find(name);
        var pixels = new byte[tensor.ByteCount];
        tensor.CopyTo(pixels);
        return new RgbImage((int)tensor.Shape[1], (int)tensor.Shape[0], pixels);
    }

    public void Dispose() => _recorded.Dispose();

    public static (double Mean, int Largest) Difference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Assert.Equal(a.Length, b.Length);
        long sum = 0;
        var largest = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var difference = Math.Abs(a[i] - b[i]);
            sum += difference;
            largest = Math.Max(largest, difference);
        }

        return ((double)sum / a.Length, largest);
    }
}
