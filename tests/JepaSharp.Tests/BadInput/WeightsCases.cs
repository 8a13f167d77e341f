using JepaSharp.Tests.Weights;

namespace JepaSharp.Tests.BadInput;

/// <summary>Weights and annotations that are missing, damaged or hostile.</summary>
internal static class WeightsCases
{
    private const string Good = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";

    private static readonly (string Name, byte[] Content, string Says)[] Safetensors =
    [
        ("nothing", [], "w.safetensors"),
        ("a text", "hello, world"u8.ToArray(), "w.safetensors"),
        ("a header longer than the file", [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, (byte)'{', (byte)'}'], "header"),
        ("a header of minus one byte", [.. Enumerable.Repeat((byte)0xff, 8), (byte)'{', (byte)'}'], "w.safetensors"),
        ("a header that is no JSON", CraftedFile.Safetensors("{\"a\":"), "JSON"),
        ("a header that is a list", CraftedFile.Safetensors("[1, 2]"), "w.safetensors"),
        ("a header that is not UTF-8", CraftedFile.Safetensors([(byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)':', (byte)'1', (byte)'}']),
            "w.safetensors"),
        ("a type that there is none", CraftedFile.Safetensors(Good.Replace("F32", "F7", StringComparison.Ordinal), 4), "F7"),
        ("a shape below zero", CraftedFile.Safetensors(Good.Replace("[1]", "[-1]", StringComparison.Ordinal), 4), "w.safetensors"),
        ("a shape beyond any number", CraftedFile.Safetensors(Good.Replace("[1]", "[4000000000,4000000000,4000000000]", StringComparison.Ordinal), 4),
            "w.safetensors"),
        ("bytes beyond the file", CraftedFile.Safetensors(Good.Replace("[0,4]", "[0,400]", StringComparison.Ordinal), 4), "w.safetensors"),
        ("bytes that do not fit the shape", CraftedFile.Safetensors(Good.Replace("[0,4]", "[0,8]", StringComparison.Ordinal), 8), "w.safetensors"),
        ("a tensor twice", CraftedFile.Safetensors(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4),
            "'a'"),
        ("no network that is known", CraftedFile.Safetensors(Good, 4), "w.safetensors"),
        ("nested a thousand deep", CraftedFile.Safetensors(string.Concat(Enumerable.Repeat("{\"a\":", 5000))), "w.safetensors"),
    ];

    private static readonly (string Name, byte[] Content, string Says)[] Checkpoints =
    [
        ("nothing", [], "w.pth"),
        ("a web page", "<html><body>404</body></html>"u8.ToArray(), "w.pth"),
        ("a zip of nothing", CraftedFile.Zip([]), "data.pkl"),
        ("a zip cut short", CraftedFile.Zip([("a/data.pkl", [0x80, 2, (byte)'N', (byte)'.'])])[..40], "w.pth"),
        ("a pickle that calls the system",
            CraftedFile.Checkpoint([0x80, 2, (byte)'c', .. "os\nsystem\n"u8, (byte)'X', 2, 0, 0, 0, .. "ls"u8, 0x85, (byte)'R', (byte)'.']),
            "os.system"),
        ("a pickle that imports", CraftedFile.Checkpoint([0x80, 2, (byte)'c', .. "builtins\neval\n"u8, (byte)'.']), "builtins.eval"),
        ("a pickle without an end", CraftedFile.Checkpoint([0x80, 2, (byte)'}']), "w.pth"),
        ("a pickle of nothing but marks", CraftedFile.Checkpoint([0x80, 2, .. Enumerable.Repeat((byte)'(', 1000), (byte)'.']), "w.pth"),
        ("a pickle that holds no weights", CraftedFile.Checkpoint([0x80, 2, (byte)'N', (byte)'.']), "w.pth"),
        ("a pickle of another protocol", CraftedFile.Checkpoint([0x80, 9, (byte)'N', (byte)'.']), "protocol"),
        ("a text of four gigabytes", CraftedFile.Checkpoint([0x80, 2, (byte)'X', 0xff, 0xff, 0xff, 0xff, (byte)'a']), "w.pth"),
        ("a picture", Photos.Png, "w.pth"),
    ];

    private static readonly (string Name, string Json, string Says)[] Annotations =
    [
        ("nothing", "", "scenes.json"),
        ("a text", "hello", "scenes.json"),
        ("a list", "[]", "scenes"),
        ("no scenes in it", "{\"info\": {}}", "scenes"),
        ("scenes that are a number", "{\"scenes\": 5}", "scenes"),
        ("a scene that is a number", "{\"scenes\": [5]}", "scenes[0]"),
        ("a scene without objects", "{\"scenes\": [{\"image_filename\": \"a.png\"}]}", "objects"),
        ("a scene without an image", "{\"scenes\": [{\"objects\": []}]}", "image_filename"),
        ("a number as a text", "{\"scenes\": [{\"objects\": [], \"image_filename\": 5}]}", "image_filename"),
        ("an index that is a text", "{\"scenes\": [{\"objects\": [], \"image_filename\": \"a.png\", \"image_index\": \"one\"}]}", ""),
        ("an object without a shape", "{\"scenes\": [{\"objects\": [{}], \"image_filename\": \"a.png\"}]}", "pixel_coords"),
        ("an object of an unknown shape",
            "{\"scenes\": [{\"objects\": [{\"pixel_coords\": [1, 2, 3], \"3d_coords\": [1, 2, 3], \"shape\": \"banana\", \"size\": \"large\", "
                + "\"material\": \"metal\", \"color\": \"red\"}], \"image_filename\": \"a.png\"}]}", "banana"),
        ("coordinates of two numbers", "{\"scenes\": [{\"objects\": [{\"pixel_coords\": [1, 2]}], \"image_filename\": \"a.png\"}]}", "three numbers"),
        ("the end missing", "{\"scenes\": [{\"objects\": [], \"image_filename\": \"a.png\"}", "scenes.json"),
        ("text that is not UTF-8", "{\"scenes\": [{\"objects\": [], \"image_filename\": \"a\u00ff.png\"}]}", "scenes.json"),
        ("a path that leads out of the folder", "{\"scenes\": [{\"objects\": [], \"image_filename\": \"../../../etc/passwd\"}]}", "outside of"),
        ("nested a thousand deep", "{\"scenes\": [" + "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
            "scenes.json"),
    ];

    public static IEnumerable<BadCase> All =>
    [
        new("weights that are not there", 2, "DIR/none", "embed --weights DIR/none --data DIR --out DIR/o.npy", Photos.Make),
        new("weights in a folder without any", 2, "DIR", "embed --weights DIR --data DIR --out DIR/o.npy", Photos.Make),
        new("weights to begin with that are not there", 2, "DIR/none", "pretrain --init DIR/none --data DIR --out DIR/run", Photos.Make),
        new("a model folder without its configuration", 2, "", "inspect DIR", Photos.File1("model.safetensors", CraftedFile.Safetensors(Good, 4))),
        new("an index of shards that are not there", 2, "", "inspect DIR/model.safetensors.index.json", Photos.Text(
            "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"none.safetensors\"}}")),
        new("an index that leads out of the folder", 2, "in the same folder", "inspect DIR/model.safetensors.index.json", Photos.Text(
            "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"../../etc/passwd\"}}")),
        new("an index that is no JSON", 2, "JSON", "inspect DIR/model.safetensors.index.json", Photos.Text("model.safetensors.index.json", "{")),
        .. Safetensors.Select(
            s => new BadCase("safetensors with " + s.Name, 2, s.Says, "inspect DIR/w.safetensors", Photos.File1("w.safetensors", s.Content))),
        .. Checkpoints.Select(c => new BadCase("a checkpoint with " + c.Name, 2, c.Says, "inspect DIR/w.pth", Photos.File1("w.pth", c.Content))),
        .. Annotations.Select(a => new BadCase("annotations with " + a.Name, 2, a.Says, "pretrain --data DIR --out DIR/run", folder =>
        {
            Directory.CreateDirectory(Path.Combine(folder, "images"));
            File.WriteAllBytes(Path.Combine(folder, "scenes.json"), System.Text.Encoding.Latin1.GetBytes(a.Json));
        })),
    ];
}
