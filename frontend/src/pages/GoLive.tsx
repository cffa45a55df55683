export function GoLive() { return <h1>GoLive</h1>; }
