// Hands a text to the browser as a download.
export function saveAsFile(name: string, text: string, type = "application/json"): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name.replaceAll(/[\\/:*?"<>|\p{Cc}]/gu, "_"); // what some file system forbids
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000); // the browser has taken the bytes long before
}
